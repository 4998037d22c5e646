/// The mapping that holds where no file says otherwise: Windows events with the flat names of Sigma's
/// taxonomy, and CloudTrail records. It is written as a user's mapping file would be.
let builtinMapping = """
    - logsource: {product: windows, category: process_creation}
      where: 'EventID == 1 and Channel == "Microsoft-Windows-Sysmon/Operational"'
    - logsource: {product: windows, category: file_change}
      where: 'EventID == 2 and Channel == "Microsoft-Windows-Sysmon/Operational"'
    - logsource: {product: windows, category: network_connection}
      where: 'EventID == 3 and Channel == "Microsoft-Windows-Sysmon/Operational"'
    - logsource: {product: windows, category: process_termination}
      where: 'EventID == 5 and Channel == "Microsoft-Windows-Sysmon/Operational"'
    - logsource: {product: windows, category: driver_load}
      where: 'EventID == 6 and Channel == "Microsoft-Windows-Sysmon/Operational"'
    - logsource: {product: windows, category: image_load}
      where: 'EventID == 7 and Channel == "Microsoft-Windows-Sysmon/Operational"'
    - logsource: {product: windows, category: create_remote_thread}
      where: 'EventID == 8 and Channel == "Microsoft-Windows-Sysmon/Operational"'
    - logsource: {product: windows, category: raw_access_thread}
      where: 'EventID == 9 and Channel == "Microsoft-Windows-Sysmon/Operational"'
    - logsource: {product: windows, category: process_access}
      where: 'EventID == 10 and Channel == "Microsoft-Windows-Sysmon/Operational"'
    - logsource: {product: windows, category: file_event}
      where: 'EventID == 11 and Channel == "Microsoft-Windows-Sysmon/Operational"'
    - logsource: {product: windows, category: registry_add}
      where: 'EventID == 12 and Channel == "Microsoft-Windows-Sysmon/Operational"'
    - logsource: {product: windows, category: registry_delete}
      where: 'EventID == 12 and Channel == "Microsoft-Windows-Sysmon/Operational"'
    - logsource: {product: windows, category: registry_set}
      where: 'EventID == 13 and Channel == "Microsoft-Windows-Sysmon/Operational"'
    - logsource: {product: windows, category: registry_rename}
      where: 'EventID == 14 and Channel == "Microsoft-Windows-Sysmon/Operational"'
    - logsource: {product: windows, category: registry_event}
      where: 'EventID in [12, 13, 14] and Channel == "Microsoft-Windows-Sysmon/Operational"'
    - logsource: {product: windows, category: create_stream_hash}
      where: 'EventID == 15 and Channel == "Microsoft-Windows-Sysmon/Operational"'
    - logsource: {product: windows, category: pipe_created}
      where: 'EventID in [17, 18] and Channel == "Microsoft-Windows-Sysmon/Operational"'
    - logsource: {product: windows, category: wmi_event}
      where: 'EventID in [19, 20, 21] and Channel == "Microsoft-Windows-Sysmon/Operational"'
    - logsource: {product: windows, category: dns_query}
      where: 'EventID == 22 and Channel == "Microsoft-Windows-Sysmon/Operational"'
    - logsource: {product: windows, category: file_delete}
      where: 'EventID in [23, 26] and Channel == "Microsoft-Windows-Sysmon/Operational"'
    - logsource: {product: windows, category: process_tampering}
      where: 'EventID == 25 and Channel == "Microsoft-Windows-Sysmon/Operational"'
    - logsource: {product: windows, category: sysmon_status}
      where: 'EventID in [4, 16] and Channel == "Microsoft-Windows-Sysmon/Operational"'
    - logsource: {product: windows, category: ps_script}
      where: 'EventID == 4104 and Channel == "Microsoft-Windows-PowerShell/Operational"'
    - logsource: {product: windows, category: ps_module}
      where: 'EventID == 4103 and Channel == "Microsoft-Windows-PowerShell/Operational"'
    - logsource: {product: windows, category: ps_classic_start}
      where: 'EventID == 400 and Channel == "Windows PowerShell"'
    - logsource: {product: windows, category: ps_classic_provider_start}
      where: 'EventID == 600 and Channel == "Windows PowerShell"'
    - logsource: {product: windows, category: ps_classic_script}
      where: 'EventID == 800 and Channel == "Windows PowerShell"'
    - logsource: {product: windows, service: security}
      where: 'Channel == "Security"'
    - logsource: {product: windows, service: system}
      where: 'Channel == "System"'
    - logsource: {product: windows, service: application}
      where: 'Channel == "Application"'
    - logsource: {product: windows, service: sysmon}
      where: 'Channel == "Microsoft-Windows-Sysmon/Operational"'
    - logsource: {product: windows, service: powershell}
      where: 'Channel == "Microsoft-Windows-PowerShell/Operational"'
    - logsource: {product: windows, service: powershell-classic}
      where: 'Channel == "Windows PowerShell"'
    - logsource: {product: windows, service: windefend}
      where: 'Channel == "Microsoft-Windows-Windows Defender/Operational"'
    - logsource: {product: windows, service: taskscheduler}
      where: 'Channel == "Microsoft-Windows-TaskScheduler/Operational"'
    - logsource: {product: windows, service: wmi}
      where: 'Channel == "Microsoft-Windows-WMI-Activity/Operational"'
    - logsource: {product: windows, service: bits-client}
      where: 'Channel == "Microsoft-Windows-Bits-Client/Operational"'
    - logsource: {product: windows, service: ntlm}
      where: 'Channel == "Microsoft-Windows-NTLM/Operational"'
    - logsource: {product: windows, service: dns-server}
      where: 'Channel == "DNS Server"'
    - logsource: {product: windows, service: msexchange-management}
      where: 'Channel == "MSExchange Management"'
    - logsource: {product: windows, service: terminalservices-localsessionmanager}
      where: 'Channel == "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational"'
    - logsource: {product: windows, service: applocker}
      where: 'Channel == "Microsoft-Windows-AppLocker/EXE and DLL"'
    - logsource: {product: windows}
      event: windows.event
      types: {EventID: number, Channel: text}
      keywords: [Message]
    - logsource: {product: aws, service: cloudtrail}
      event: aws.cloudtrail
    """

/// A page that needs nothing besides itself and runs no script.
func htmlPage(title: String, body: String) -> String {
    """
    <!DOCTYPE html>
    <html lang="en"><head><meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(escapedHTML(title))</title>
    <style>\(pageStyle)</style></head><body>
    \(body)
    <footer>martlet \(versionNumber)</footer>
    </body></html>

    """
}

private let pageStyle = """
    :root{--ink:#1c2430;--soft:#667085;--line:#dfe3e8;--paper:#fff;--tile:#f6f7f9;--critical:#b42318;--high:#d9480f;--warning:#c77700;--medium:#c77700;--low:#2f6f9f;--info:#7a8494}
    @media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--soft:#98a2b3;--line:#343c48;--paper:#14181f;--tile:#1d232c;--critical:#f97066;--high:#fd8b51;--warning:#f0b429;--medium:#f0b429;--low:#6cb2e0;--info:#98a2b3}}
    body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:1180px;margin:0 auto;padding:24px}
    h1{font-size:26px;margin:0}h2{font-size:18px;margin:32px 0 10px}header p,footer,small,.legend{color:var(--soft)}small{display:block;font-size:12px}
    .tiles{display:flex;flex-wrap:wrap;gap:12px;margin-top:18px}.tile{background:var(--tile);border-radius:8px;padding:12px 18px;min-width:120px;max-width:320px}.tile b{display:block;font-size:24px}.tile span{color:var(--soft)}
    svg{width:100%;height:auto}svg text{font-size:13px;fill:var(--ink)}svg .tick,svg .count{fill:var(--soft);font-size:12px}.axis{stroke:var(--line)}
    table{border-collapse:collapse;width:100%;font-size:14px}th,td{text-align:left;padding:5px 10px 5px 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}th{color:var(--soft);font-weight:500}.n{text-align:right}.t{white-space:nowrap}.over{color:var(--critical);font-weight:600}
    i{display:inline-block;width:10px;height:10px;border-radius:2px;margin-right:6px}.legend span{margin-right:16px}
    .critical{background:var(--critical);fill:var(--critical)}.high{background:var(--high);fill:var(--high)}.warning{background:var(--warning);fill:var(--warning)}.medium{background:var(--medium);fill:var(--medium)}.low{background:var(--low);fill:var(--low)}.info{background:var(--info);fill:var(--info)}
    pre{background:var(--tile);border-radius:8px;padding:14px;overflow-x:auto;font:13px/1.5 ui-monospace,monospace}a{color:var(--low)}details{margin:6px 0}summary{cursor:pointer}.drawing{overflow-x:auto}.drawing svg{min-width:760px}
    .matrix{display:flex;flex-wrap:wrap;gap:14px}.matrix div{background:var(--tile);border-radius:8px;padding:10px 14px;min-width:150px;flex:1 1 150px;max-width:260px}.matrix b{font-weight:600}.matrix p{margin:8px 0;overflow-wrap:anywhere}
    footer{margin-top:40px}
    """

/// Text for HTML: inert wherever it stands between tags or in quotes.
func escapedHTML(_ text: String) -> String {
    var result = ""
    for scalar in visible(text).unicodeScalars {
        switch scalar {
        case "&": result += "&amp;"
        case "<": result += "&lt;"
        case ">": result += "&gt;"
        case "\"": result += "&quot;"
        case "'": result += "&#39;"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}

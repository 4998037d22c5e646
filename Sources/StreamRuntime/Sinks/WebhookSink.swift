import CCrypto
import CCurl
import RuleModel
import Synchronization

/// Where a webhook goes and how.
public struct WebhookSettings: Sendable {
    public var url: String
    /// Each as `Name: value`.
    public var headers: [String] = []
    /// What is posted of an alert; nil: its record.
    public var body: AlertBody?
    /// The key that bodies are signed with.
    public var secret: [UInt8]?
    public var timeoutSeconds = 10
    /// Paths of PEM files.
    public var authorities: String?
    public var certificate: String?
    public var privateKey: String?
    /// Whether the server's certificate is checked.
    public var verifies = true

    public init(url: String) { self.url = url }
}

/// Posts each alert as JSON: its record, or what `AlertBody` makes of it.
///
/// Headers: `Idempotency-Key` is the same whenever the record comes again. With a secret,
/// `X-Martlet-Signature: t=SECONDS,v1=HEX` holds the HMAC-SHA256 of `SECONDS.BODY`.
/// Redirects are not followed, and link-local addresses are refused.
public final class WebhookSink: Sink {
    private struct Call {
        var handle: OpaquePointer
        var headers: OpaquePointer?
    }

    private struct State {
        var multi: OpaquePointer?
        /// Those that are on their way, by the number of the alert.
        var calls: [UInt64: Call] = [:]
    }

    private let settings: WebhookSettings
    private let clock: RuntimeClock
    private let state = Mutex(State())

    public init(_ settings: WebhookSettings, clock: RuntimeClock = .system) {
        self.settings = settings
        self.clock = clock
    }

    deinit {
        state.withLock { state in
            for number in Array(state.calls.keys) { WebhookSink.end(number, &state) }
            if let multi = state.multi { curl_multi_cleanup(UnsafeMutableRawPointer(multi)) }
        }
    }

    /// See `Sink`.
    public var promise: SinkPromise {
        .atLeastOnce("marked `redelivery`, the same Idempotency-Key")
    }
    /// See `Sink`.
    public var inFlightMax: Int { 32 }
    /// See `Sink`.
    public var isConcurrent: Bool { true }

    /// See `Sink`.
    public func open(mark: Int) throws(SinkError) {
        _ = curlIsReady
        let isMade = state.withLock { state in
            state.multi = OpaquePointer(curl_multi_init())
            return state.multi != nil
        }
        if !isMade { throw SinkError("libcurl cannot be started") }
    }

    /// Alerts that are not answered soon stay on their way, so that one that hangs holds back no other.
    /// See `Sink`.
    public func deliver(_ entries: [OutboxEntry]) -> [DeliveryResult] {
        state.withLock { state in
            guard let multi = state.multi else {
                return entries.map { _ in .failed("libcurl is not there", retryAfterSeconds: nil) }
            }
            for entry in entries where state.calls[entry.sequence] == nil {
                guard let handle = curl_easy_init() else { break }
                let headers = prepare(handle, entry)
                state.calls[entry.sequence] = Call(
                    handle: OpaquePointer(handle), headers: headers.map { OpaquePointer($0) })
                curl_multi_add_handle(UnsafeMutableRawPointer(multi), handle)
            }
            let results = finished(&state, UnsafeMutableRawPointer(multi))
            return entries.map { entry in
                if let result = results[entry.sequence] { return result }
                return state.calls[entry.sequence] == nil
                    ? .failed("libcurl has no room for a call", retryAfterSeconds: nil) : .pending
            }
        }
    }

    /// What became of the calls that are over: of the first of them at the latest after `patience`.
    private func finished(
        _ state: inout State, _ multi: UnsafeMutableRawPointer
    ) -> [UInt64: DeliveryResult] {
        var results: [UInt64: DeliveryResult] = [:]
        var running: Int32 = 0
        var waited = 0
        while true {
            guard curl_multi_perform(multi, &running) == CURLM_OK else { break }
            var left: Int32 = 0
            while let message = curl_multi_info_read(multi, &left)?.pointee {
                guard message.msg == CURLMSG_DONE, let handle = message.easy_handle,
                    let number = state.calls.first(where: {
                        UnsafeMutableRawPointer($0.value.handle) == handle
                    })?.key
                else { continue }
                results[number] = result(handle, message.data.result)
                WebhookSink.end(number, &state)
            }
            if !results.isEmpty || running == 0 || waited >= WebhookSink.patience { break }
            curl_multi_poll(multi, nil, 0, 10, nil)
            waited += 1
        }
        return results
    }

    /// In hundredths of a second.
    private static let patience = 10

    private static func end(_ number: UInt64, _ state: inout State) {
        guard let call = state.calls.removeValue(forKey: number) else { return }
        let handle = UnsafeMutableRawPointer(call.handle)
        if let multi = state.multi {
            curl_multi_remove_handle(UnsafeMutableRawPointer(multi), handle)
        }
        curl_easy_cleanup(handle)
        curl_slist_free_all(call.headers.map { UnsafeMutablePointer<curl_slist>($0) })
    }

    /// Asks with HEAD, which every server knows and which gives it nothing to do.
    /// See `Sink`.
    public func probe() -> ProbeResult {
        _ = curlIsReady
        guard let handle = curl_easy_init() else {
            return .unreachable("libcurl cannot be started", fix: "install libcurl4")
        }
        var list: UnsafeMutablePointer<curl_slist>?
        for header in ["User-Agent: martlet"] + settings.headers {
            list = curl_slist_append(list, header)
        }
        defer {
            curl_easy_cleanup(handle)
            curl_slist_free_all(list)
        }
        prepare(handle, headers: list)
        curl_set_long(handle, CURLOPT_NOBODY, 1)
        let code = curl_easy_perform(handle)
        let host = settings.url.prefix { $0 != "?" }.split(separator: "/").dropFirst().first ?? ""
        guard code == CURLE_OK else {
            return .unreachable(
                "\(host): \(reason(code))",
                fix: "is the `url` right, the server up, and its certificate known to this machine?"
            )
        }
        let status = curl_status(handle)
        switch status {
        case 200..<300, 400, 405, 411, 415, 422, 501:
            return .reached("\(host) answered \(status) to HEAD")
        case 401, 403:
            return .doubtful(
                "\(host) answered \(status)", fix: "are the `headers` with the token right?")
        case 300..<400:
            return .doubtful(
                "\(host) answered \(status), and redirects are not followed",
                fix: "write the address that it redirects to")
        case 404, 410:
            return .doubtful(
                "\(host) answered \(status) to HEAD",
                fix: "is the path right? Some servers answer so to all but POST")
        default:
            return .doubtful(
                "\(host) answered \(status)", fix: "alerts are kept and tried again meanwhile")
        }
    }

    private func prepare(
        _ handle: UnsafeMutableRawPointer, _ entry: OutboxEntry
    ) -> UnsafeMutablePointer<curl_slist>? {
        var body: [UInt8] = []
        if let form = settings.body {
            form.append(entry, to: &body)
        } else {
            AlertForm.json.append(entry, to: &body)
            body.removeLast()
        }
        var headers = [
            "Content-Type: application/json", "User-Agent: martlet", "Expect:",
            "Idempotency-Key: \(entry.alert.recordID)",
        ]
        if let secret = settings.secret {
            let seconds = clock.wall().nanoseconds / 1_000_000_000
            let signature = hmac(Array("\(seconds).".utf8) + body, key: secret)
            headers.append("X-Martlet-Signature: t=\(seconds),v1=\(signature)")
        }
        var list: UnsafeMutablePointer<curl_slist>?
        for header in headers + settings.headers { list = curl_slist_append(list, header) }
        prepare(handle, headers: list)
        body.withUnsafeBytes { bytes in
            _ = curl_set_body(handle, bytes.baseAddress, bytes.count)
        }
        return list
    }

    private func prepare(
        _ handle: UnsafeMutableRawPointer, headers list: UnsafeMutablePointer<curl_slist>?
    ) {
        curl_set_guards(handle)
        curl_set_text(handle, CURLOPT_URL, settings.url)
        curl_set_headers(handle, list)
        curl_set_long(handle, CURLOPT_TIMEOUT, settings.timeoutSeconds)
        curl_set_long(handle, CURLOPT_SSL_VERIFYPEER, settings.verifies ? 1 : 0)
        curl_set_long(handle, CURLOPT_SSL_VERIFYHOST, settings.verifies ? 2 : 0)
        if let path = settings.authorities { curl_set_text(handle, CURLOPT_CAINFO, path) }
        if let path = settings.certificate { curl_set_text(handle, CURLOPT_SSLCERT, path) }
        if let path = settings.privateKey { curl_set_text(handle, CURLOPT_SSLKEY, path) }
    }

    /// Why a call came to no answer.
    private func reason(_ code: CURLcode) -> String {
        code == CURLE_ABORTED_BY_CALLBACK
            ? "the address is link-local and refused" : String(cString: curl_easy_strerror(code))
    }

    private func result(_ handle: UnsafeMutableRawPointer, _ code: CURLcode) -> DeliveryResult {
        guard code == CURLE_OK else { return .failed(reason(code), retryAfterSeconds: nil) }
        let status = curl_status(handle)
        let seconds = Int(curl_retry_after(handle))
        switch status {
        case 200..<300: return .done
        // The server has looked at this alert and does not want it.
        case 400, 409, 413, 415, 422: return .refused("answered \(status)")
        default:
            return .failed("answered \(status)", retryAfterSeconds: seconds > 0 ? seconds : nil)
        }
    }
}

/// The library wants to be told once, before it is used.
private let curlIsReady: Bool = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK

/// HMAC-SHA256 in hexadecimal.
///
/// - SeeAlso: RFC 2104, RFC 4231 for check values.
func hmac(_ message: [UInt8], key: [UInt8]) -> String {
    var digest = [UInt8](repeating: 0, count: 32)
    var count: UInt32 = 0
    HMAC(EVP_sha256(), key, Int32(key.count), message, message.count, &digest, &count)
    return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

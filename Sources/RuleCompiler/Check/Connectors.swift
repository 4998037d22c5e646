/// A kind of source or sink and the keys its block knows.
public struct Connector: Sendable {
    public var name: String
    public var keys: [String]
    /// Whether this version runs it; the others are checked only.
    var isRun = false

    /// What every connection over TLS knows.
    private static let tls = ["ca", "certificate", "private_key", "verify"]
    private static let aws = ["region", "endpoint", "access_key", "secret_key", "role"]

    /// Where events can come from.
    public static let sources: [Connector] = [
        Connector(name: "file", keys: ["path", "follow", "format"], isRun: true),
        Connector(name: "stdin", keys: ["format"], isRun: true),
        Connector(name: "http", keys: ["listen", "path", "token", "max_body"] + tls),
        Connector(
            name: "kafka", keys: ["brokers", "topic", "group", "from", "user", "password"] + tls),
        Connector(
            name: "mqtt",
            keys: ["broker", "topic", "client", "qos", "user", "password"] + tls),
        Connector(name: "kinesis", keys: ["stream", "from"] + aws),
        Connector(name: "syslog", keys: ["listen", "protocol"] + tls),
        Connector(name: "sqs", keys: ["queue", "wait", "visibility"] + aws),
        Connector(name: "redis", keys: ["address", "stream", "group", "user", "password"] + tls),
        Connector(name: "prometheus", keys: ["listen", "scrape", "interval", "path"] + tls),
        Connector(name: "nats", keys: ["servers", "stream", "subject", "user", "password"] + tls),
        Connector(name: "postgresql", keys: ["url", "channel", "slot", "password"] + tls),
        Connector(name: "websocket", keys: ["url", "token"] + tls),
        Connector(name: "cloudwatch", keys: ["group", "filter"] + aws),
    ]

    /// Where alerts can go.
    public static let sinks: [Connector] = [
        Connector(name: "stdout", keys: ["format"]),
        Connector(name: "file", keys: ["path", "format"]),
        Connector(name: "webhook", keys: ["url", "secret", "headers", "body", "timeout"] + tls),
        Connector(name: "alertmanager", keys: ["url", "labels", "token"] + tls),
        Connector(name: "pagerduty", keys: ["key", "url"]),
        Connector(name: "slack", keys: ["url", "channel"]),
        Connector(name: "teams", keys: ["url"]),
        Connector(name: "discord", keys: ["url"]),
        Connector(name: "google_chat", keys: ["url"]),
        Connector(name: "mattermost", keys: ["url", "channel"]),
        Connector(name: "kafka", keys: ["brokers", "topic", "user", "password"] + tls),
        Connector(
            name: "elasticsearch", keys: ["url", "index", "user", "password", "token"] + tls),
        Connector(name: "opensearch", keys: ["url", "index", "user", "password", "token"] + tls),
        Connector(name: "sns", keys: ["topic"] + aws),
        Connector(name: "sqs", keys: ["queue"] + aws),
        Connector(name: "eventbridge", keys: ["bus", "source"] + aws),
        Connector(name: "lambda", keys: ["function"] + aws),
        Connector(name: "dynamodb", keys: ["table"] + aws),
        Connector(name: "influx", keys: ["url", "bucket", "org", "token"] + tls),
        Connector(name: "grafana", keys: ["url", "token", "stream"] + tls),
        Connector(name: "redis", keys: ["address", "channel", "stream", "user", "password"] + tls),
        Connector(
            name: "smtp", keys: ["server", "from", "to", "subject", "user", "password"] + tls),
        Connector(name: "postgresql", keys: ["url", "table", "password"] + tls),
        Connector(name: "sqlite", keys: ["path", "table"]),
        Connector(name: "syslog", keys: ["address", "protocol", "facility"] + tls),
        Connector(name: "mqtt", keys: ["broker", "topic", "qos", "user", "password"] + tls),
        Connector(name: "s3", keys: ["bucket", "prefix"] + aws),
        Connector(name: "otlp", keys: ["url", "headers", "token"] + tls),
        Connector(name: "prometheus", keys: ["listen", "path"]),
        Connector(name: "timestream", keys: ["database", "table"] + aws),
    ]

    /// How a source's lines can be read.
    public static let decoders = [
        "json", "cloudtrail", "syslog", "otlp", "logfmt", "csv", "cloudevents",
    ]

    /// Keys whose value must not stand in a file that is shared.
    static let secretKeys: Set<String> = [
        "password", "token", "secret", "secret_key", "private_key", "key",
    ]

    static func named(_ name: String, among connectors: [Connector]) -> Connector? {
        connectors.first { $0.name == name }
    }
}

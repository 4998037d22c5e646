import Foundation
import RuleModel

/// The offsets of a zone of the IANA database from 1970 to 2100; nil if there is no such zone.
///
/// The engine reads no zone files, so that a run can be repeated anywhere: it gets this table.
public func zoneTable(named name: String) -> ZoneTable? {
    guard let zone = TimeZone(identifier: name) else { return nil }
    let end = Int64(4_102_444_800)  // 2100-01-01T00:00:00Z
    func offset(_ seconds: Int64) -> Int64 {
        Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds))))
    }
    var transitions = [ZoneTable.Transition(start: .min, offset: offset(0))]
    // Looking at every day takes 2 ms and finds each change, whether of summer time or of the zone
    // itself; then the second of the change is closed in on.
    let step: Int64 = 86_400
    var time: Int64 = 0
    while time < end {
        let next = time + step
        let before = offset(time)
        if offset(next) != before {
            var low = time
            var high = next
            while high - low > 1 {
                let middle = (low + high) / 2
                if offset(middle) == before { low = middle } else { high = middle }
            }
            transitions.append(ZoneTable.Transition(start: high, offset: offset(high)))
        }
        time = next
    }
    return ZoneTable(transitions: transitions)
}

/// The names of all zones of the IANA database.
public func knownZones() -> Set<String> { Set(TimeZone.knownTimeZoneIdentifiers).union(["UTC"]) }

extension InputReport {
    /// What could not be read and what was passed over, for people; empty if all went well.
    ///
    ///     3 of 1,000 lines could not be read:
    ///       2 malformed; the first: orders.ndjson:17 (byte 4,711): expected `:` after the key, found `1`
    ///       1 with a number out of range; the first: …
    public var summary: String {
        var lines: [String] = []
        if badLines > 0 {
            lines.append(
                "\(grouped(badLines)) of \(counted(self.lines, "line")) could not be read:")
            lines += faultLines { !$0.isAboutFile }
        }
        let skipped = count(of: .skippedFile)
        if badFiles > skipped {
            lines.append("\(counted(badFiles - skipped, "file")) could not be read, or not wholly:")
            lines += faultLines { $0.isAboutFile && $0 != .skippedFile }
        }
        if skipped > 0 {
            lines.append("\(counted(skipped, "file")) in folders not read:")
            lines += faultLines { $0 == .skippedFile }
        }
        if count(of: .typeMissing) > 0 {
            lines.append(
                "help: `--type-field FIELD` says which field names the type, `--type NAME` gives it"
            )
        }
        if count(of: .timeMissing) > 0 {
            lines.append("help: `--time-field FIELD` says which field holds the time")
        }
        if duplicateKeyFiles > 0 {
            lines.append(
                "\(counted(duplicateKeyFiles, "file")) with a key twice in one object; the last one counts"
            )
        }
        if repeatedEvents > 0 {
            lines.append(
                "\(counted(repeatedEvents, "event")) came again and counted once (`dedup`)")
        }
        if eventsWithoutID > 0 {
            lines.append(
                "\(counted(eventsWithoutID, "event")) without the id that `dedup` compares")
        }
        if forgottenIDs > 0 {
            lines.append(
                "\(counted(forgottenIDs, "id")) of `dedup` forgotten before their time: what came again counted again; `ids per source N` in the `engine` block keeps more"
            )
        }
        if byteOrderMarks > 0 {
            lines.append("\(counted(byteOrderMarks, "file")) with a byte order mark, passed over")
        }
        return lines.joined(separator: "\n")
    }

    private func faultLines(_ isIncluded: (InputFault.Reason) -> Bool) -> [String] {
        InputFault.Reason.allCases.filter { isIncluded($0) && count(of: $0) > 0 }.map { reason in
            let first = firstFaults.first { $0.reason == reason }?.description ?? ""
            return "  \(grouped(count(of: reason))) \(reason.words); the first: \(first)"
        }
    }
}

extension InputFault.Reason {
    /// What is wrong with the lines or files of this kind, to be read behind their number.
    fileprivate var words: String {
        switch self {
        case .malformed: "malformed"
        case .truncated: "cut off"
        case .trailingBytes: "with something behind the object"
        case .notAnObject: "not an object"
        case .invalidUTF8: "not valid UTF-8"
        case .controlCharacter: "with a bare control character"
        case .loneSurrogate: "with half a surrogate pair"
        case .numberOutOfRange: "with a number out of range"
        case .tooDeep: "nested too deep"
        case .lineTooLong: "too long"
        case .typeMissing: "without a type"
        case .typeUnreadable: "with a type that is not a name"
        case .timeMissing: "without a time"
        case .timeUnreadable: "with a time that cannot be read"
        case .timeAbsurd: "with an absurd time"
        case .unreadableFile: "cannot be opened or read"
        case .emptyFile: "empty"
        case .binaryFile: "not JSON lines"
        case .damagedCompression: "damaged or cut archive"
        case .skippedFile: "of another kind"
        }
    }
}

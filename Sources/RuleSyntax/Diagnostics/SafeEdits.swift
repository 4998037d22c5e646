/// The edits of the fixes that a program may apply unread, without those that touch the same
/// place as one before.
public func safeEdits(_ diagnostics: [Diagnostic]) -> [SourceEdit] {
    var edits: [SourceEdit] = []
    for fix in diagnostics.flatMap(\.help).compactMap(\.fix) where fix.applicability == .always {
        let overlaps = fix.edits.contains { new in
            edits.contains { old in
                old.range.start <= new.range.end && new.range.start <= old.range.end
            }
        }
        if !overlaps { edits += fix.edits }
    }
    return edits
}

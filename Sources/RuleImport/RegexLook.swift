/// Whether a regular expression might match the spelling of a number or truth value: a no is certain, a
/// yes is not.
///
/// It cannot where some other character must occur: a literal one outside of groups and classes that no
/// quantifier makes optional and for which there is no alternative.
func mayMatchPlainValue(_ pattern: String) -> Bool {
    let scalars = Array(pattern.unicodeScalars)
    var depth = 0
    var isInClass = false
    var needsOther = false
    var place = 0
    while place < scalars.count {
        var literal: Unicode.Scalar?
        switch scalars[place] {
        case "\\":
            place += 1
            // A character by its number, or a class by its name.
            if place < scalars.count, "xpPQ".unicodeScalars.contains(scalars[place]) { return true }
            // A letter behind a backslash is a class or an assertion; a sign is itself.
            if place < scalars.count, !isInClass, depth == 0,
                !scalars[place].properties.isAlphabetic, !("0"..."9").contains(scalars[place])
            {
                literal = scalars[place]
            }
        case "[" where isInClass:
            // `[:digit:]`
            while place + 1 < scalars.count, scalars[place] != "]" { place += 1 }
        case "[":
            isInClass = true
            if place + 1 < scalars.count, scalars[place + 1] == "^" { place += 1 }
            // A bracket that stands first is a member.
            if place + 1 < scalars.count, scalars[place + 1] == "]" { place += 1 }
        case "]": isInClass = false
        case "(" where !isInClass: depth += 1
        case ")" where !isInClass: depth -= 1
        case "|" where !isInClass && depth == 0: return true
        case "^", "$", ".", "*", "+", "?", "{", "}", "|": break
        case let scalar where !isInClass && depth == 0: literal = scalar
        default: break
        }
        place += 1
        let next = place < scalars.count ? scalars[place] : " "
        if let literal, !plainValueScalars.contains(literal), !["?", "*", "{"].contains(next) {
            needsOther = true
        }
    }
    return !needsOther
}

/// What numbers, `true` and `false` are written with, and what stands between the numbers of `{1,2}`.
private let plainValueScalars = Set("0123456789-+.,truefalsTRUEFALS".unicodeScalars)

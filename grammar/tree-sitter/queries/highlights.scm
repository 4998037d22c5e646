(comment) @comment
(declaration) @keyword
(clause) @keyword
"alert" @keyword
(operator_word) @keyword.operator
"matches" @keyword.operator
(constant) @constant.builtin
(operator) @operator
(punctuation) @punctuation.delimiter
(call function: (name) @function.call)
(member name: (_) @variable.member)
(step name: (name) @label)
(name) @variable
(quoted_name) @variable
(duration) @number
(number) @number
(text) @string
(raw_text) @string
(message_text) @string
(escape) @string.escape
(pattern) @string.regexp
(placeholder ["{" "}"] @punctuation.special)

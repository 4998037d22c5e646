" Vim syntax file for Martlet's rule files.
" Every keyword of the language stands here; a test holds this file to the lexer.

if exists("b:current_syntax")
  finish
endif

syntax case match
syntax iskeyword @,48-57,_
syntax sync minlines=50

syntax match martletName /\<\h\w*\>/
syntax match martletQuotedName /`[^`]*`/

" Words, by what they do.
syntax keyword martletDeclaration
    \ define engine event import let list metric rule schedule select sink source test
syntax keyword martletClause
    \ absent active adapt advance after alert aligned all allow anomalous anomaly_cluster
    \ arrives as assume at attach attack baseline before by cluster confidence correction
    \ correlation crash daily data during each early enabled events exactly expect
    \ falsepositives few fire first for forecast forget from gap group hopping immediately keep
    \ key lag last latest least lift limit linked mask masked match max measure min moves_with
    \ no none nothing number of off on once optional order outside over overlap owner partial
    \ per points pooled possible references refresh remind repeat report reset resolve restart
    \ resume risk runbook runs seasonal send sequence session severity show sliding span spread
    \ stale start step strength suppress tags the them then threshold time title to tumbling
    \ unbounded unless until update values watch weekly when where window with within without
syntax keyword martletWordOperator
    \ and any case cidr contains else ends every exists ignoring in like matches missing not or
    \ starts
syntax keyword martletBoolean false true

syntax match martletOperator +==\|!=\|<=\|>=\|[<>=+*/%|-]+
syntax match martletFunction /\<\h\w*\ze\s*(/
syntax match martletMember /\.\zs\h\w*/
syntax match martletStep /\<\h\w*\ze\s*:/
syntax match martletSeverity /\(\<severity\s\+\)\@<=\(info\|low\|medium\|warning\|high\|critical\)\>/
syntax match martletNumber /\<\d[0-9_]*\(\.\d\+\)\?\([eE][+-]\?\d\+\)\?\([kMGT]i\?B\|B\)\?\>%\?/
syntax match martletDuration /\<\(\d[0-9_]*\(\.\d\+\)\?\(ns\|us\|ms\|s\|m\|h\|d\|w\)\)\+\>/
syntax match martletLabel /\<T\d\{4}\(\.\d\{3}\)\?\>/

syntax match martletEscape /\\\(u{\x\+}\|.\)/ contained
syntax region martletText start=/"/ skip=/\\./ end=/"/ oneline contains=martletEscape
syntax region martletText start=/\<r"/ end=/"/ oneline
syntax region martletMessage start=/\(\<alert\s\+\)\@<="/ skip=/\\./ end=/"/ oneline contains=martletEscape,martletBrace,martletPlaceholder
syntax match martletBrace /{{\|}}/ contained
syntax region martletPlaceholder matchgroup=martletDelimiter start=/{{\@!/ end=/}/ contained oneline contains=martletName,martletFunction,martletMember,martletNumber,martletDuration,martletWordOperator,martletClause,martletOperator
syntax region martletPattern start=+\(\<matches\s\+\)\@<=/+ skip=+\\.+ end=+/+ oneline
syntax match martletComment /#.*$/ contains=@Spell

highlight default link martletDeclaration Keyword
highlight default link martletClause Statement
highlight default link martletWordOperator Operator
highlight default link martletOperator Operator
highlight default link martletBoolean Boolean
highlight default link martletFunction Function
highlight default link martletMember Identifier
highlight default link martletName Identifier
highlight default link martletQuotedName Identifier
highlight default link martletStep Label
highlight default link martletSeverity Constant
highlight default link martletNumber Number
highlight default link martletDuration Number
highlight default link martletLabel Constant
highlight default link martletEscape SpecialChar
highlight default link martletBrace SpecialChar
highlight default link martletText String
highlight default link martletMessage String
highlight default link martletDelimiter Delimiter
highlight default link martletPattern String
highlight default link martletComment Comment

let b:current_syntax = "martlet"

// The grammar of Martlet's rule files for tree-sitter: made for colours, folding and selection.
//
// Words are contextual in Martlet, so the tree is one of lines, blocks and expressions' tokens rather
// than of clauses; the compiler knows the rest. `tree-sitter generate` makes the parser.

const DECLARATIONS = [
  'define', 'engine', 'event', 'import', 'let', 'list', 'metric', 'rule', 'schedule', 'select',
  'sink', 'source', 'test',
];

const WORD_OPERATORS = [
  'and', 'any', 'case', 'cidr', 'contains', 'else', 'ends', 'every', 'exists', 'ignoring',
  'in', 'like', 'matches', 'missing', 'not', 'or', 'starts',
];

const CONSTANTS = ['false', 'true'];

const CLAUSES = [
  'absent', 'active', 'adapt', 'advance', 'after', 'alert', 'aligned', 'all', 'allow',
  'anomalous', 'anomaly_cluster', 'arrives', 'as', 'assume', 'at', 'attach', 'attack',
  'baseline', 'before', 'by', 'cluster', 'confidence', 'correction', 'correlation', 'crash',
  'daily', 'data', 'during', 'each', 'early', 'enabled', 'events', 'exactly', 'expect',
  'falsepositives', 'few', 'fire', 'first', 'for', 'forecast', 'forget', 'from', 'gap',
  'group', 'hopping', 'immediately', 'keep', 'key', 'lag', 'last', 'latest', 'least', 'lift',
  'limit', 'linked', 'mask', 'masked', 'match', 'max', 'measure', 'min', 'moves_with', 'no',
  'none', 'nothing', 'number', 'of', 'off', 'on', 'once', 'optional', 'order', 'outside',
  'over', 'overlap', 'owner', 'partial', 'per', 'points', 'pooled', 'possible', 'references',
  'refresh', 'remind', 'repeat', 'report', 'reset', 'resolve', 'restart', 'resume', 'risk',
  'runbook', 'runs', 'seasonal', 'send', 'sequence', 'session', 'severity', 'show', 'sliding',
  'span', 'spread', 'stale', 'start', 'step', 'strength', 'suppress', 'tags', 'the', 'them',
  'then', 'threshold', 'time', 'title', 'to', 'tumbling', 'unbounded', 'unless', 'until',
  'update', 'values', 'watch', 'weekly', 'when', 'where', 'window', 'with', 'within',
  'without',
];

module.exports = grammar({
  name: 'martlet',

  word: $ => $.name,

  extras: $ => [/\s/, $.comment],

  rules: {
    file: $ => repeat($._item),

    _item: $ => choice(
      $.block, $.group, $.list, $.call, $.member, $.step, $.message, $.pattern, $.declaration,
      $.operator_word, $.constant, $.clause, $.name, $.quoted_name, $.duration, $.number, $.raw_text,
      $.text, $.operator, $.punctuation,
    ),

    block: $ => seq('{', repeat($._item), '}'),
    group: $ => seq('(', repeat($._item), ')'),
    list: $ => seq('[', repeat($._item), ']'),

    call: $ => prec(2, seq(field('function', $.name), field('arguments', $.group))),
    member: $ => seq('.', field('name', choice($.name, $.declaration, $.operator_word, $.clause, $.constant))),
    step: $ => prec(2, seq(field('name', $.name), ':')),

    message: $ => seq('alert', $.message_text),
    message_text: $ => seq(
      token.immediate(/[ \t]+"/),
      repeat(choice($.escape, $.placeholder, alias(token.immediate(prec(1, /[^"\\{}\n]+/)), $.text_content))),
      token.immediate('"'),
    ),
    placeholder: $ => seq(token.immediate('{'), repeat($._item), '}'),

    pattern: $ => seq('matches', token(/\/(\\.|[^\/\\\n])+\//)),

    declaration: _ => choice(...DECLARATIONS),
    operator_word: _ => choice(...WORD_OPERATORS),
    constant: _ => choice(...CONSTANTS),
    clause: _ => choice(...CLAUSES),

    name: _ => /[A-Za-z_][A-Za-z0-9_]*/,
    quoted_name: _ => /`[^`\n]*`/,
    duration: _ => token(prec(2, /([0-9][0-9_]*(\.[0-9]+)?(ns|us|ms|s|m|h|d|w))+/)),
    number: _ => /[0-9][0-9_]*(\.[0-9]+)?([eE][+-]?[0-9]+)?([kMGT]i?B|B)?%?/,
    raw_text: _ => /r"[^"\n]*"/,
    text: $ => seq('"', repeat(choice($.escape, token.immediate(prec(1, /[^"\\\n]+/)))), token.immediate('"')),
    escape: _ => token.immediate(/\\(u\{[0-9A-Fa-f]+\}|.)|\{\{|\}\}/),

    operator: _ => choice('==', '!=', '<=', '>=', '<', '>', '=', '+', '-', '*', '/', '%', '|'),
    punctuation: _ => choice(',', ':', '?', '..'),

    comment: _ => /#[^\n]*/,
  },
});

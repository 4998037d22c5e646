import RuleModel
import RuleSyntax

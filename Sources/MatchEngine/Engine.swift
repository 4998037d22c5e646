import RuleModel

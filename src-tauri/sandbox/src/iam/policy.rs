//! Policy documents: read strictly, then really evaluated.
//!
//! What a document says and the sandbox cannot evaluate is refused when the document is put, so that no decision is
//! ever made on half of a policy. A deny outweighs every allow; what no statement speaks of is not allowed.
//! Deliberately absent: NotPrincipal, policy variables, and the condition operators that are not in `OPERATORS`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::access::ANY_AWS;

/// A document that was read.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    statements: Vec<Statement>,
}

/// Whom a document is written for: it decides which members a statement has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Who may take a role on.
    Trust,
    /// What a role may do.
    Identity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Allowed,
    ExplicitDeny,
    ImplicitDeny,
}

/// What is asked of a policy.
pub(crate) struct Question<'a> {
    /// The names of whoever acts, for a trust policy: any one of them counts. None, for what a role may do.
    pub(crate) principals: &'a [String],
    pub(crate) action: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) context: &'a Context,
}

/// Condition keys with their values. The names' case does not count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Context(BTreeMap<String, Vec<String>>);

impl Context {
    pub(crate) fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.add(key, vec![value.into()]);
        self
    }

    pub(crate) fn add(&mut self, key: &str, values: Vec<String>) {
        self.0.insert(key.to_ascii_lowercase(), values);
    }

    fn get(&self, key: &str) -> Option<&[String]> {
        self.0.get(&key.to_ascii_lowercase()).map(Vec::as_slice)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct DocumentText {
    version: Option<String>,
    #[serde(rename = "Id")]
    _id: Option<String>,
    statement: OneOrMany<StatementText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct StatementText {
    #[serde(rename = "Sid")]
    _sid: Option<String>,
    effect: Effect,
    principal: Option<PrincipalText>,
    action: Option<OneOrMany<String>>,
    not_action: Option<OneOrMany<String>>,
    resource: Option<OneOrMany<String>>,
    not_resource: Option<OneOrMany<String>>,
    #[serde(default)]
    condition: BTreeMap<String, BTreeMap<String, OneOrMany<Scalar>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Bool(bool),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum PrincipalText {
    Anyone(Anyone),
    Named(BTreeMap<String, OneOrMany<String>>),
}

/// `"*"`: a principal that is named by text alone is this one.
#[derive(Deserialize)]
enum Anyone {
    #[serde(rename = "*")]
    Anyone,
}

#[derive(Debug, Clone)]
struct Statement {
    effect: Effect,
    /// Services and ARNs that are named, and `*`.
    principals: Vec<String>,
    actions: Named,
    resources: Named,
    conditions: Vec<Condition>,
}

/// What a statement is about: what is in a list, or what is not.
#[derive(Debug, Clone)]
struct Named {
    patterns: Vec<String>,
    inverted: bool,
}

#[derive(Debug, Clone)]
struct Condition {
    test: fn(&str, &str) -> bool,
    negated: bool,
    if_exists: bool,
    key: String,
    values: Vec<String>,
}

/// Name, how one value is compared, and whether the answer is turned round.
type Operator = (&'static str, fn(&str, &str) -> bool, bool);

const OPERATORS: [Operator; 11] = [
    ("StringEquals", equals, false),
    ("StringNotEquals", equals, true),
    ("StringEqualsIgnoreCase", same_letters, false),
    ("StringNotEqualsIgnoreCase", same_letters, true),
    ("StringLike", glob, false),
    ("StringNotLike", glob, true),
    // The two are alike: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    ("ArnEquals", arn_like, false),
    ("ArnLike", arn_like, false),
    ("ArnNotEquals", arn_like, true),
    ("ArnNotLike", arn_like, true),
    ("Bool", same_letters, false),
];

impl Policy {
    /// Reads a document, or says what is wrong with it.
    pub(crate) fn parse(text: &str, kind: Kind) -> Result<Self, String> {
        let document: DocumentText =
            serde_json::from_str(text).map_err(|error| format!("Syntax errors in policy: {error}."))?;
        if document.version.as_deref().is_some_and(|version| !matches!(version, "2012-10-17" | "2008-10-17")) {
            return Err("The policy's Version must be 2012-10-17.".to_owned());
        }
        let statements = document.statement.into_vec();
        if statements.is_empty() {
            return Err("The policy has no statement.".to_owned());
        }
        let statements = statements.into_iter().map(|one| one.read(kind)).collect::<Result<_, _>>()?;
        Ok(Self { statements })
    }

    pub(crate) fn decide(&self, question: &Question<'_>) -> Decision {
        let mut decision = Decision::ImplicitDeny;
        for statement in self.statements.iter().filter(|one| one.speaks_of(question)) {
            match statement.effect {
                Effect::Deny => return Decision::ExplicitDeny,
                Effect::Allow => decision = Decision::Allowed,
            }
        }
        decision
    }
}

/// What several policies say together.
pub(crate) fn decide<'a>(policies: impl IntoIterator<Item = &'a Policy>, question: &Question<'_>) -> Decision {
    let mut together = Decision::ImplicitDeny;
    for policy in policies {
        match policy.decide(question) {
            Decision::ExplicitDeny => return Decision::ExplicitDeny,
            Decision::Allowed => together = Decision::Allowed,
            Decision::ImplicitDeny => {}
        }
    }
    together
}

impl StatementText {
    fn read(self, kind: Kind) -> Result<Statement, String> {
        let named = |list: Option<OneOrMany<String>>, not: Option<OneOrMany<String>>, what: &str| match (list, not) {
            (Some(list), None) => Ok(Named { patterns: checked(list.into_vec())?, inverted: false }),
            (None, Some(not)) => Ok(Named { patterns: checked(not.into_vec())?, inverted: true }),
            (Some(_), Some(_)) => Err(format!("A statement has either {what} or Not{what}.")),
            (None, None) => Err(format!("A statement has no {what}.")),
        };
        let actions = named(self.action, self.not_action, "Action")?;
        if let Some(wrong) = actions.patterns.iter().find(|one| *one != "*" && !one.contains(':')) {
            return Err(format!("Actions have the form service:Name or are *: {wrong}."));
        }
        let (principals, resources) = match (kind, self.principal) {
            (Kind::Trust, None) => return Err("A trust policy's statement must name a Principal.".to_owned()),
            (Kind::Identity, Some(_)) => return Err("Policy document should not specify a principal.".to_owned()),
            (Kind::Trust, Some(_)) if self.resource.is_some() || self.not_resource.is_some() => {
                return Err("Has prohibited field Resource.".to_owned());
            }
            (Kind::Trust, Some(principal)) => {
                (principal.names(), Named { patterns: vec!["*".to_owned()], inverted: false })
            }
            (Kind::Identity, None) => (Vec::new(), named(self.resource, self.not_resource, "Resource")?),
        };
        let mut conditions = Vec::new();
        for (operator, keys) in self.condition {
            for (key, values) in keys {
                conditions.push(condition(&operator, key, values.into_vec())?);
            }
        }
        Ok(Statement { effect: self.effect, principals, actions, resources, conditions })
    }
}

fn checked(patterns: Vec<String>) -> Result<Vec<String>, String> {
    match patterns.iter().find(|one| one.contains("${")) {
        Some(variable) => Err(format!("The sandbox does not evaluate policy variables: {variable}.")),
        None => Ok(patterns),
    }
}

impl PrincipalText {
    fn names(self) -> Vec<String> {
        let Self::Named(mut kinds) = self else { return vec!["*".to_owned()] };
        let mut names = kinds.remove("Service").map(OneOrMany::into_vec).unwrap_or_default();
        for who in kinds.remove("AWS").map(OneOrMany::into_vec).unwrap_or_default() {
            names.push(match who.as_str() {
                "*" => ANY_AWS.to_owned(),
                // An account's number is short for its root.
                account if account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) => {
                    format!("arn:aws:iam::{account}:root")
                }
                _ => who,
            });
        }
        names
    }
}

fn condition(operator: &str, key: String, values: Vec<Scalar>) -> Result<Condition, String> {
    let (name, if_exists) = operator.strip_suffix("IfExists").map_or((operator, false), |name| (name, true));
    let (_, test, negated) = OPERATORS
        .into_iter()
        .find(|(known, ..)| *known == name)
        .ok_or_else(|| format!("The sandbox does not evaluate the condition operator {operator}."))?;
    let values = values.into_iter().map(|value| match value {
        Scalar::Text(text) => text,
        Scalar::Bool(yes) => yes.to_string(),
    });
    Ok(Condition { test, negated, if_exists, key, values: checked(values.collect())? })
}

impl Statement {
    fn speaks_of(&self, question: &Question<'_>) -> bool {
        let known = |one: &String| one == "*" || question.principals.contains(one);
        (question.principals.is_empty() || self.principals.iter().any(known))
            && self.actions.hold(&question.action.to_ascii_lowercase(), str::to_ascii_lowercase)
            && self.resources.hold(question.resource, str::to_owned)
            && self.conditions.iter().all(|one| one.holds(question.context))
    }
}

impl Named {
    fn hold(&self, value: &str, form: fn(&str) -> String) -> bool {
        self.patterns.iter().any(|pattern| glob(&form(pattern), value)) != self.inverted
    }
}

impl Condition {
    fn holds(&self, context: &Context) -> bool {
        let Some(given) = context.get(&self.key) else {
            // A key that is not there differs from every value.
            return self.if_exists || self.negated;
        };
        given.iter().any(|value| self.values.iter().any(|wanted| (self.test)(wanted, value))) != self.negated
    }
}

fn equals(wanted: &str, value: &str) -> bool {
    wanted == value
}

fn same_letters(wanted: &str, value: &str) -> bool {
    wanted.eq_ignore_ascii_case(value)
}

/// `*` is any text, `?` any one character. Time is linear in the value for every star, so no document makes it run long.
pub(crate) fn glob(pattern: &str, value: &str) -> bool {
    let (pattern, value): (Vec<char>, Vec<char>) = (pattern.chars().collect(), value.chars().collect());
    let (mut p, mut v, mut star) = (0, 0, None);
    while v < value.len() {
        if p < pattern.len() && pattern[p] == '*' {
            star = Some((p, v));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == '?' || pattern[p] == value[v]) {
            p += 1;
            v += 1;
        } else if let Some((at, taken)) = star {
            p = at + 1;
            v = taken + 1;
            star = Some((at, taken + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|one| *one == '*')
}

/// Each of an ARN's six parts by itself, so that a star does not reach over a colon.
fn arn_like(pattern: &str, value: &str) -> bool {
    let (pattern, value): (Vec<&str>, Vec<&str>) = (pattern.splitn(6, ':').collect(), value.splitn(6, ':').collect());
    pattern == ["*"]
        || (pattern.len() == value.len() && pattern.iter().zip(value).all(|(pattern, part)| glob(pattern, part)))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failure here is a failed test")]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn decision(statements: &Value, action: &str, resource: &str) -> Decision {
        let text = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
        let policy = Policy::parse(&text, Kind::Identity).unwrap();
        policy.decide(&Question { principals: &[], action, resource, context: &Context::default() })
    }

    #[test]
    fn a_deny_outweighs_every_allow_and_silence_is_no_allow() {
        let both = json!([
            { "Effect": "Allow", "Action": "s3:*", "Resource": "*" },
            { "Effect": "Deny", "Action": ["s3:PutObject"], "Resource": "arn:aws:s3:::b/locked/*" },
        ]);
        let put = |key: &str| decision(&both, "s3:PutObject", &format!("arn:aws:s3:::b/{key}"));
        assert_eq!(put("open/a"), Decision::Allowed);
        assert_eq!(put("locked/a"), Decision::ExplicitDeny);
        assert_eq!(decision(&both, "bedrock:InvokeModel", "*"), Decision::ImplicitDeny);
        assert_eq!(
            decision(&both, "S3:getobject", "arn:aws:s3:::b"),
            Decision::Allowed,
            "an action's case is no matter"
        );
    }

    #[test]
    fn what_is_not_named_is_all_the_rest() {
        let rest = json!({ "Effect": "Allow", "NotAction": "s3:Delete*", "NotResource": "arn:aws:s3:::private/*" });
        assert_eq!(decision(&rest, "s3:GetObject", "arn:aws:s3:::b/a"), Decision::Allowed);
        assert_eq!(decision(&rest, "s3:DeleteObject", "arn:aws:s3:::b/a"), Decision::ImplicitDeny);
        assert_eq!(decision(&rest, "s3:GetObject", "arn:aws:s3:::private/a"), Decision::ImplicitDeny);
    }

    #[test]
    fn conditions_are_held_to_what_is_known() {
        let holds = |operator: &str, key: &str, wanted: Value| {
            let text = json!({ "Statement": {
                "Effect": "Allow", "Principal": { "Service": "bedrock.amazonaws.com" }, "Action": "sts:AssumeRole",
                "Condition": { operator: { key: wanted } },
            }});
            let context = Context::default()
                .with("aws:SourceAccount", "123456789012")
                .with("aws:SourceArn", "arn:aws:bedrock:us-east-1:123456789012:model-customization-job/a.b/c");
            let policy = Policy::parse(&text.to_string(), Kind::Trust).unwrap();
            let question = Question {
                principals: &["bedrock.amazonaws.com".to_owned()],
                action: "sts:AssumeRole",
                resource: "*",
                context: &context,
            };
            policy.decide(&question) == Decision::Allowed
        };
        let jobs = "arn:aws:bedrock:us-east-1:123456789012:model-customization-job/*";
        assert!(holds("ArnLike", "aws:SourceArn", json!(jobs)));
        assert!(holds("ArnEquals", "AWS:sourcearn", json!(["arn:aws:x:::y", jobs])));
        assert!(!holds("StringEquals", "aws:SourceArn", json!(jobs)), "only what is said to be like is like");
        assert!(!holds("ArnLike", "aws:SourceArn", json!("arn:*")), "a star does not reach over a colon");
        assert!(holds("StringLike", "aws:SourceArn", json!("arn:*")));
        assert!(holds("StringEquals", "aws:SourceAccount", json!(["1", "123456789012"])));
        assert!(!holds("StringEquals", "aws:SourceAccount", json!("210987654321")));
        assert!(holds("StringNotEquals", "aws:SourceAccount", json!("210987654321")));
        assert!(!holds("StringEquals", "aws:PrincipalOrgID", json!("o-1")), "what is not known does not hold");
        assert!(holds("StringEqualsIfExists", "aws:PrincipalOrgID", json!("o-1")));
    }

    #[test]
    fn a_principal_must_be_named_to_be_trusted() {
        let trusts = |principal: Value| {
            let text =
                json!({ "Statement": [{ "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" }] });
            let context = Context::default();
            let question = Question {
                principals: &["bedrock.amazonaws.com".to_owned()],
                action: "sts:AssumeRole",
                resource: "*",
                context: &context,
            };
            Policy::parse(&text.to_string(), Kind::Trust).unwrap().decide(&question) == Decision::Allowed
        };
        assert!(trusts(json!({ "Service": ["lambda.amazonaws.com", "bedrock.amazonaws.com"] })));
        assert!(trusts(json!("*")));
        assert!(!trusts(json!({ "Service": "lambda.amazonaws.com" })));
        assert!(!trusts(json!({ "AWS": "arn:aws:iam::123456789012:root" })));
        assert!(!trusts(json!({ "AWS": "*" })), "a service is nobody's user");
    }

    #[test]
    fn half_of_a_policy_is_never_believed() {
        let allow = json!({ "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*" });
        let with = |name: &str, value: Value| {
            let mut statement = allow.clone();
            statement[name] = value;
            Policy::parse(&json!({ "Statement": [statement] }).to_string(), Kind::Identity)
        };
        assert!(with("Sid", json!("fine")).is_ok());
        for (name, value) in [
            ("Effect", json!("Maybe")),
            ("Principal", json!("*")),
            ("NotAction", json!("s3:*")),
            ("Action", json!("GetObject")),
            ("Condition", json!({ "IpAddress": { "aws:SourceIp": "10.0.0.0/8" } })),
            ("Resource", json!("arn:aws:s3:::b/${aws:username}/*")),
            ("Colour", json!("red")),
        ] {
            assert!(with(name, value).is_err(), "{name}");
        }
        assert!(Policy::parse("{}", Kind::Identity).is_err());
        assert!(Policy::parse("{\"Statement\": []}", Kind::Identity).is_err());
    }

    #[test]
    fn a_glob_is_quick_however_many_stars_it_has() {
        assert!(!glob(&"*a".repeat(200), &"a".repeat(199)));
        assert!(glob("a?c*", "abcd") && glob("*", "") && !glob("?", ""));
    }
}

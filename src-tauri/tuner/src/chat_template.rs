//! A model's own way of laying out turns: the Jinja template that comes with a Hugging Face folder.
//!
//! Templates are programs from outside. They run without files, network or other templates, and
//! with a bound on their steps. Deliberately absent: the date, which some templates ask for and
//! all of those have a fallback for, and tools.

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value, context};

use crate::{TunerError, Turn};

const NAME: &str = "chat";
/// Steps that one rendering may take: some hundred for each turn.
const STEPS: u64 = 1_000_000;

/// A compiled template with the two texts that templates write themselves.
pub(crate) struct ChatTemplate {
    environment: Environment<'static>,
    begin: String,
    end: String,
}

impl ChatTemplate {
    /// Compiles a template and lays out a first turn with it, so that one that cannot work is
    /// refused when the model is loaded.
    pub fn new(source: String, begin: String, end: String) -> Result<ChatTemplate, TunerError> {
        // As Hugging Face renders them: a block leaves neither its line break nor its indentation.
        let syntax =
            SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().map_err(|error| refused(&error))?;
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        environment.set_syntax(syntax);
        environment.set_fuel(Some(STEPS));
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", |why: String| -> Result<Value, minijinja::Error> {
            Err(minijinja::Error::new(ErrorKind::InvalidOperation, why))
        });
        environment.add_template_owned(NAME, source).map_err(|error| refused(&error))?;
        let template = ChatTemplate { environment, begin, end };
        template.lay_out(&[Turn::new(crate::Role::User, "a")])?;
        Ok(template)
    }

    /// The turns as the model reads them, up to where its answer begins.
    pub fn lay_out(&self, turns: &[Turn]) -> Result<String, TunerError> {
        self.render(turns, true)
    }

    /// A whole conversation in pieces, each with whether the model is to learn it: an assistant's turn
    /// from where its answer begins. A turn that the template lays out otherwise once others follow it
    /// (its thoughts are left out, say) is not learned there, because no answer begins like that.
    pub fn pieces(&self, turns: &[Turn]) -> Result<Vec<(String, bool)>, TunerError> {
        let whole = self.render(turns, false)?;
        let mut pieces = Vec::new();
        let mut at = 0;
        for (index, _) in turns.iter().enumerate().filter(|(_, turn)| turn.role == crate::Role::Assistant) {
            let asked = self.render(&turns[..index], true)?;
            let answered = self.render(&turns[..=index], false)?;
            if whole.starts_with(&asked)
                && whole.starts_with(&answered)
                && at <= asked.len()
                && asked.len() < answered.len()
            {
                pieces.push((whole[at..asked.len()].to_string(), false));
                pieces.push((whole[asked.len()..answered.len()].to_string(), true));
                at = answered.len();
            }
        }
        pieces.push((whole[at..].to_string(), false));
        pieces.retain(|(text, _)| !text.is_empty());
        Ok(pieces)
    }

    fn render(&self, turns: &[Turn], ask: bool) -> Result<String, TunerError> {
        let messages: Vec<Value> =
            turns.iter().map(|turn| context! { role => turn.role.as_str(), content => &turn.text }).collect();
        self.environment
            .get_template(NAME)
            .and_then(|template| {
                template.render(context! {
                    messages => messages,
                    add_generation_prompt => ask,
                    bos_token => &self.begin,
                    eos_token => &self.end,
                })
            })
            .map_err(|error| refused(&error))
    }
}

fn refused(error: &minijinja::Error) -> TunerError {
    TunerError::Template(error.to_string())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step is a failed test")]
mod tests {
    use super::*;
    use crate::Role;

    fn template(source: &str) -> Result<ChatTemplate, TunerError> {
        ChatTemplate::new(source.to_string(), "<s>".to_string(), "</s>".to_string())
    }

    #[test]
    fn a_template_in_the_style_of_llama_3_lays_turns_out() {
        let source = "{{- bos_token }}\n{%- for message in messages %}\n    {{- '<|' + message['role'] + '|>\\n' + \
                      message['content'].strip() + '<|eot|>' }}\n{%- endfor %}\n{%- if add_generation_prompt %}\n    \
                      {{- '<|assistant|>\\n' }}\n{%- endif %}\n";
        let turns = [Turn::new(Role::System, " Be brief. "), Turn::new(Role::User, "Hello")];
        let laid_out = template(source).unwrap().lay_out(&turns).unwrap();
        assert_eq!(laid_out, "<s><|system|>\nBe brief.<|eot|><|user|>\nHello<|eot|><|assistant|>\n");
    }

    #[test]
    fn answers_are_learned_from_where_they_begin_and_only_where_they_begin_so() {
        let source = "{% for m in messages %}<{{ m.role }}>{% if m.role == 'assistant' and loop.last %}<think>{% endif %}\
                      {{ m.content }}<end>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}";
        let turn = |role, text| Turn::new(role, text);
        let first = [turn(Role::User, "a"), turn(Role::Assistant, "b")];
        let pieces = template(source).unwrap().pieces(&first).unwrap();
        assert_eq!(pieces, [("<user>a<end><assistant>".to_string(), false), ("<think>b<end>".to_string(), true)]);
        let more = [first[0].clone(), first[1].clone(), turn(Role::User, "c"), turn(Role::Assistant, "d")];
        let pieces = template(source).unwrap().pieces(&more).unwrap();
        let before = "<user>a<end><assistant>b<end><user>c<end><assistant>";
        assert_eq!(pieces, [(before.to_string(), false), ("<think>d<end>".to_string(), true)]);
        let plain = template(&source.replace("<think>", "")).unwrap().pieces(&more).unwrap();
        let learned: Vec<&str> = plain.iter().filter(|(_, learned)| *learned).map(|(text, _)| text.as_str()).collect();
        assert_eq!(learned, ["b<end>", "d<end>"]);
        assert_eq!(
            plain.iter().map(|(text, _)| text.as_str()).collect::<String>(),
            "<user>a<end><assistant>b<end><user>c<end><assistant>d<end>"
        );
    }

    #[test]
    fn a_template_that_cannot_work_or_never_ends_is_refused() {
        let never = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}";
        for source in ["{{ raise_exception('no') }}", "{% if %}", "{% include 'other' %}", never] {
            assert!(matches!(template(source), Err(TunerError::Template(_))), "{source}");
        }
    }
}

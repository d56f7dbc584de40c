use leptos::prelude::*;

use super::{Field, SubmittedForm};
use crate::parts::Erase;

/// A label, its control, a hint and, after a refusal, what is wrong.
#[component]
pub(super) fn FormField(
    field: Field,
    form: StoredValue<SubmittedForm>,
    hint: &'static str,
    #[prop(optional)] is_optional: bool,
    children: Children,
) -> impl IntoView {
    let name = field.name();
    let error = form.with_value(|form| field.error(&form.errors));
    let class = if error.is_some() {
        "field is-wrong"
    } else {
        "field"
    };
    view! {
        <div class=class>
            <label for=control_id(field)>
                {field.label()} {is_optional.then(|| view! { <span class="muted">" optional"</span> })}
            </label>
            {children()}
            <p class="hint" id=format!("hint-{name}")>{hint}</p>
            {error.map(|error| view! {
                <p class="field-error" id=error_id(field) data-testid=error_id(field)>{error}</p>
            })}
        </div>
    }
    .erase()
}

/// A line of text.
#[component]
pub(super) fn TextField(
    field: Field,
    form: StoredValue<SubmittedForm>,
    hint: &'static str,
    #[prop(optional)] placeholder: &'static str,
    #[prop(optional)] is_optional: bool,
    #[prop(optional)] is_code: bool,
    value: String,
) -> impl IntoView {
    view! {
        <FormField field form hint is_optional>
            <input
                id=control_id(field)
                name=field.name()
                class:code=is_code
                type="text"
                value=value
                placeholder=placeholder
                autocomplete="off"
                aria-describedby=described_by(field, form)
                aria-invalid=invalid(field, form)
            />
        </FormField>
    }
    .erase()
}

pub(super) fn control_id(field: Field) -> String {
    format!("field-{}", field.name())
}

fn error_id(field: Field) -> String {
    format!("error-{}", field.name())
}

fn is_wrong(field: Field, form: StoredValue<SubmittedForm>) -> bool {
    form.with_value(|form| field.error(&form.errors).is_some())
}

pub(super) fn invalid(field: Field, form: StoredValue<SubmittedForm>) -> Option<&'static str> {
    is_wrong(field, form).then_some("true")
}

/// The error first: it is what one came back for.
pub(super) fn described_by(field: Field, form: StoredValue<SubmittedForm>) -> String {
    let hint = format!("hint-{}", field.name());
    if is_wrong(field, form) {
        format!("{} {hint}", error_id(field))
    } else {
        hint
    }
}

/// The content of a `textarea` as HTML. Its text is not escaped by the renderer, and a parser drops a first line end.
pub(super) fn textarea_html(text: &str) -> String {
    let escaped = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    format!("\n{escaped}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_leave_its_textarea() {
        let html = textarea_html("</textarea><script>&amp;\n");
        assert_eq!(html, "\n&lt;/textarea&gt;&lt;script&gt;&amp;amp;\n");
    }
}

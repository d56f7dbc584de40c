use leptos::prelude::*;
use leptos_meta::Title;

use super::field::{FormField, TextField, control_id, described_by, invalid, textarea_html};
use super::form::errors_elsewhere;
use super::preview::CommandPreview;
use super::submitted::use_submitted_form;
use super::{Field, SubmittedForm};
use crate::parts::Erase;

/// `/tasks/new`
#[component]
pub fn NewTaskPage() -> impl IntoView {
    let form = StoredValue::new(use_submitted_form());
    view! {
        <Title text="New task"/>
        <div class="page-head">
            <h1>"New task"</h1>
        </div>
        <form class="task-form" method="post" action="/tasks/new">
            <Refusal form/>
            <WhatToRun form/>
            <Limits form/>
            <WhatItIsWorth form/>
            <div class="form-end">
                <button class="button primary large">"Post task"</button>
                <span class="muted">"It goes to the next runner with a free slot."</span>
            </div>
        </form>
    }
}

/// All that is wrong in one place, with links to the fields.
#[component]
fn Refusal(form: StoredValue<SubmittedForm>) -> impl IntoView {
    let errors = form.with_value(|form| form.errors.clone());
    if errors.is_empty() {
        return None;
    }
    let by_field = Field::ALL
        .into_iter()
        .filter_map(|field| Some((field, field.error(&errors)?)));
    let links = by_field.map(|(field, error)| {
        view! {
            <li>
                <a href=format!("#{}", control_id(field)) rel="external">{field.label()}</a>
                {format!(" {error}")}
            </li>
        }
    });
    let links = links.collect::<Vec<_>>();
    let others: Vec<_> = errors_elsewhere(&errors)
        .into_iter()
        .map(|error| view! { <li>{error}</li> })
        .collect();
    Some(view! {
        <div class="refusal" role="alert" data-testid="form-errors">
            <h2>"Not posted yet"</h2>
            <ul>{links} {others}</ul>
        </div>
    })
}

#[component]
fn WhatToRun(form: StoredValue<SubmittedForm>) -> impl IntoView {
    let values = form.with_value(|form| form.values.clone());
    view! {
        <fieldset>
            <legend>"What to run"</legend>
            <TextField field=Field::Title form value=values.title hint="One line that people recognise it by."/>
            <TextField
                field=Field::Image
                form
                value=values.image
                placeholder="alpine:latest"
                is_code=true
                hint="A container image that runners may pull, with a tag or a digest."
            />
            <CommandField form line=values.command/>
            <TextArea
                field=Field::Env
                form
                text=values.env
                placeholder="KEY=value"
                is_code=true
                hint="One NAME=value per line. Everybody who sees the task sees them: no secrets."
            />
            <TextField
                field=Field::Workdir
                form
                value=values.workdir
                placeholder="/app"
                is_optional=true
                is_code=true
                hint="Where in the container the command starts."
            />
            <TextArea
                field=Field::Description
                form
                text=values.description
                hint="What it is for, and what a good result looks like."
            />
        </fieldset>
    }
    .erase()
}

#[component]
fn CommandField(form: StoredValue<SubmittedForm>, line: String) -> impl IntoView {
    let field = Field::Command;
    let typed = RwSignal::new(line.clone());
    view! {
        <FormField field form is_optional=true hint="Split into words like a shell does, but run without one. For pipes and variables: sh -c '...'">
            <textarea
                id=control_id(field)
                name=field.name()
                class="code"
                rows="2"
                spellcheck="false"
                placeholder="echo 'hello world'"
                aria-describedby=described_by(field, form)
                aria-invalid=invalid(field, form)
                inner_html=textarea_html(&line)
                on:input=move |event| typed.set(event_target_value(&event))
            ></textarea>
            <CommandPreview line=typed/>
        </FormField>
    }
    .erase()
}

/// Several lines of text.
#[component]
fn TextArea(
    field: Field,
    form: StoredValue<SubmittedForm>,
    text: String,
    hint: &'static str,
    #[prop(optional)] placeholder: &'static str,
    #[prop(optional)] is_code: bool,
) -> impl IntoView {
    view! {
        <FormField field form hint is_optional=true>
            <textarea
                id=control_id(field)
                name=field.name()
                class:code=is_code
                rows="3"
                placeholder=placeholder
                aria-describedby=described_by(field, form)
                aria-invalid=invalid(field, form)
                inner_html=textarea_html(&text)
            ></textarea>
        </FormField>
    }
    .erase()
}

#[component]
fn Limits(form: StoredValue<SubmittedForm>) -> impl IntoView {
    let values = form.with_value(|form| form.values.clone());
    view! {
        <fieldset>
            <legend>"Limits"</legend>
            <div class="field-row">
                <TextField
                    field=Field::Memory
                    form
                    value=values.memory
                    placeholder="512m"
                    is_optional=true
                    hint="Such as 64m or 2g."
                />
                <TextField
                    field=Field::Cpus
                    form
                    value=values.cpus
                    placeholder="1.0"
                    is_optional=true
                    hint="Cores, such as 0.5."
                />
                <TextField
                    field=Field::Timeout
                    form
                    value=values.timeout
                    placeholder="5m"
                    is_optional=true
                    hint="Such as 30s or 2h."
                />
            </div>
        </fieldset>
    }
    .erase()
}

#[component]
fn WhatItIsWorth(form: StoredValue<SubmittedForm>) -> impl IntoView {
    let values = form.with_value(|form| form.values.clone());
    view! {
        <fieldset>
            <legend>"What it is worth"</legend>
            <div class="field-row">
                <TextField
                    field=Field::Reward
                    form
                    value=values.reward
                    placeholder="100"
                    hint="Whole tokens, read to the last digit."
                />
                <TextField
                    field=Field::Token
                    form
                    value=values.token
                    is_optional=true
                    hint="This server's first one when empty."
                />
                <TextField
                    field=Field::MaxAttempts
                    form
                    value=values.max_attempts
                    placeholder="3"
                    is_optional=true
                    hint="After a runner's fault, up to 10."
                />
            </div>
        </fieldset>
    }
    .erase()
}

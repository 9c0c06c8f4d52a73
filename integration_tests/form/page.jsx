// The form of one spec, as near to Airbyte's as a general library comes: its order, its secrets, its choices.
// `window.spec` is the connectionSpecification; what a person saves is shown as JSON below the form.
import Form from "@rjsf/core";
import validator from "@rjsf/validator-ajv8";
import { useState } from "react";
import { createRoot } from "react-dom/client";

function uiOf(schema) {
  const ui = {};
  if (schema.const !== undefined) ui["ui:widget"] = "hidden";
  if (schema.airbyte_secret) ui["ui:widget"] = "password";
  if (schema.pattern_descriptor) ui["ui:help"] = `Format: ${schema.pattern_descriptor}`;
  if (schema.items) ui.items = uiOf(schema.items);
  for (const part of [schema, ...(schema.oneOf ?? [])]) {
    for (const [name, property] of Object.entries(part.properties ?? {})) ui[name] = { ...ui[name], ...uiOf(property) };
  }
  const byOrder = ([, a], [, b]) => (a.order ?? 0) - (b.order ?? 0);
  if (schema.properties) ui["ui:order"] = [...Object.entries(schema.properties).sort(byOrder).map(([name]) => name), "*"];
  return ui;
}

// Airbyte keeps unknown fields and offers no way to add one.
function closed(schema) {
  if (Array.isArray(schema)) return schema.map(closed);
  if (schema === null || typeof schema !== "object") return schema;
  const kept = Object.entries(schema).filter(([key, value]) => !(key === "additionalProperties" && value === true));
  return Object.fromEntries(kept.map(([key, value]) => [key, closed(value)]));
}

// The library leaves out what a choice is about.
function Choice({ schema, selector, optionSchemaField }) {
  return (
    <>
      <label className="control-label">{schema.title}{selector}</label>
      <p className="field-description">{schema.description}</p>
      {optionSchemaField}
    </>
  );
}

function Page({ spec }) {
  const [data, setData] = useState({});
  const [saved, setSaved] = useState();
  return (
    <main>
      <Form
        schema={closed(spec)}
        uiSchema={{ ...uiOf(spec), "ui:submitButtonOptions": { submitText: "Save" } }}
        validator={validator}
        templates={{ MultiSchemaFieldTemplate: Choice }}
        formData={data}
        noHtml5Validate
        onChange={(event) => setData(event.formData)}
        onSubmit={(event) => setSaved(event.formData)}
      />
      {saved && <pre id="saved">{JSON.stringify(saved, null, 2)}</pre>}
    </main>
  );
}

createRoot(document.getElementById("form")).render(<Page spec={window.spec} />);

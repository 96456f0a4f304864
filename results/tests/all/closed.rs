//! The JSON Schema of a line, without room for fields that it does not name.

use serde_json::{Value, json};

/// Readers leave aside fields that they do not know; but what is written is in the schema. So this
/// one takes no other field.
pub(crate) fn closed(mut schema: Value) -> Value {
    close(&mut schema);
    schema
}

fn close(schema: &mut Value) {
    match schema {
        Value::Array(all) => all.iter_mut().for_each(close),
        Value::Object(all) => {
            all.values_mut().for_each(close);
            if all.contains_key("properties") {
                all.insert("additionalProperties".to_owned(), json!(false));
            }
        }
        _ => {}
    }
}

//! Charts of plans for a terminal: a bar for each task over time.

use serde_json::Value;

/// The columns of the time axis.
const WIDTH: usize = 46;
/// The characters for tasks on the critical path and for other tasks.
const BARS: (&str, &str) = ("█", "▒");

/// Draws the trace of a plan; `None` if it is incomplete.
pub(crate) fn chart(trace: &Value) -> Option<String> {
    let tasks = trace["tasks"].as_array()?;
    let total = trace["latency_ms"].as_f64()?.max(0.001);
    let path: Vec<u64> =
        trace["critical_path"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
    let width =
        |key: &str| tasks.iter().filter_map(|task| task[key].as_str()).map(str::len).max().unwrap_or(0);
    let (names, models) = (width("name"), width("model"));
    let line = |task: &Value| {
        let name = task["name"].as_str().unwrap_or("-");
        let model = task["model"].as_str().or(task["status"].as_str()).unwrap_or("-");
        let (begun, ended) =
            (task["begun_ms"].as_f64().unwrap_or(0.0), task["ended_ms"].as_f64().unwrap_or(0.0));
        let is_critical = task["number"].as_u64().is_some_and(|number| path.contains(&number));
        let bar = bar(begun / total, ended / total, if is_critical { BARS.0 } else { BARS.1 });
        format!("    {name:names$}  {bar}  {model:models$}  {:>5.0} ms", ended - begun)
    };
    let lines: Vec<String> = tasks.iter().map(line).collect();
    Some(format!("{}\n{}", lines.join("\n"), summary(trace, tasks, total)))
}

/// Compares the plan with its tasks run one after the other.
fn summary(trace: &Value, tasks: &[Value], total: f64) -> String {
    let time =
        |task: &Value| task["ended_ms"].as_f64().unwrap_or(0.0) - task["begun_ms"].as_f64().unwrap_or(0.0);
    let sequential: f64 = tasks.iter().map(time).sum();
    let cost = trace["cost_usd"].as_f64().unwrap_or(f64::NAN);
    let tokens = trace["input_tokens"].as_u64().unwrap_or(0) + trace["output_tokens"].as_u64().unwrap_or(0);
    let less = 100.0 * (1.0 - total / sequential.max(total));
    let beside = if less < 1.0 {
        String::new()
    } else {
        format!(" instead of {sequential:.0} ms one after the other, -{less:.0} % (faster)")
    };
    let count = if tasks.len() == 1 { "1 task".to_owned() } else { format!("{} tasks", tasks.len()) };
    format!("    {count}, {tokens} tokens, ${cost:.5} in all; {total:.0} ms{beside}")
}

fn bar(from: f64, to: f64, with: &str) -> String {
    let column = |share: f64| (share.clamp(0.0, 1.0) * WIDTH as f64).round() as usize;
    let from = column(from).min(WIDTH - 1);
    let to = column(to).max(from + 1);
    format!("{}{}{}", " ".repeat(from), with.repeat(to - from), " ".repeat(WIDTH - to))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bars_lie_where_tasks_ran() {
        let task = |number: u64, begun: f64, ended: f64| json!({ "number": number, "name": format!("t{number}"), "model": "a/b", "begun_ms": begun, "ended_ms": ended });
        let trace = json!({
            "latency_ms": 100.0, "critical_path": [1], "cost_usd": 0.5, "input_tokens": 1, "output_tokens": 2,
            "tasks": [task(0, 0.0, 50.0), task(1, 0.0, 100.0)],
        });
        let expected = format!(
            "    t0  {}{}  a/b     50 ms\n    t1  {}  a/b    100 ms\n    2 tasks, 3 tokens, $0.50000 in all; 100 ms \
             instead of 150 ms one after the other, -33 % (faster)",
            "▒".repeat(23),
            " ".repeat(23),
            "█".repeat(46)
        );
        assert_eq!(chart(&trace).unwrap(), expected);
    }
}

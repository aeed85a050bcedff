//! A headless Chromium, spoken to through `chromedriver`: JSON over HTTP, the W3C's `WebDriver`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

/// A browser with one window. It ends when this is dropped.
pub struct Browser {
    driver: Child,
    session: String,
    folder: tempfile::TempDir,
}

impl Browser {
    /// Starts one; nothing where no `chromedriver` or Chromium is installed, and says so by the test's name.
    pub fn start(test: &str, width: u32, height: u32) -> Option<Browser> {
        let skip = |why: &str| {
            eprintln!("skipped {test}: {why}");
            None
        };
        let driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut driver) = driver else {
            return skip("chromedriver is not installed");
        };
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        // Its output is read on, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let folder = tempfile::tempdir().unwrap();
        let mut browser = Browser {
            driver,
            session: format!("http://127.0.0.1:{}/session", port?),
            folder,
        };
        let profile = browser.folder.path().join("profile");
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"args": [
                "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars=false",
                format!("--window-size={width},{height}"),
                format!("--user-data-dir={}", profile.display()),
            ]},
        }}});
        let Some(session) = browser.call("POST", "", &capabilities) else {
            return skip("Chromium does not start");
        };
        browser.session = format!("{}/{}", browser.session, session["sessionId"].as_str()?);
        browser.emulate(width, height);
        Some(browser)
    }

    /// Opens a page from a file, and waits until its samples can be looked at.
    pub fn open(&self, page: &str, hash: &str) {
        let path = self.folder.path().join("page.html");
        std::fs::write(&path, page).unwrap();
        self.go(&path, hash);
    }

    /// Opens the last page again, with another address after `#`.
    pub fn reopen(&self, hash: &str) {
        self.post("/url", &json!({"url": "about:blank"}));
        self.go(&self.folder.path().join("page.html"), hash);
    }

    fn go(&self, path: &Path, hash: &str) {
        let url = format!("file://{}{hash}", path.display());
        self.post("/url", &json!({"url": url}));
        self.wait("performance.getEntriesByName('samples-ready').length === 1");
    }

    /// The value of an expression.
    pub fn value(&self, expression: &str) -> Value {
        self.run(&format!("return ({expression})"))
    }

    /// What a script returns.
    pub fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// What an asynchronous script returns.
    pub fn run_async(&self, script: &str) -> Value {
        self.post(
            "/execute/sync",
            &json!({"script": format!("return (async () => {{ {script} }})()"), "args": []}),
        )
    }

    /// Waits until an expression holds.
    pub fn wait(&self, expression: &str) {
        for _ in 0..600 {
            if self.value(expression) == json!(true) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("never came true: {expression}; the log: {:#}", self.log());
    }

    /// Presses keys, one after another, where the focus is. Special keys are `WebDriver`'s code points.
    pub fn keys(&self, keys: &str) {
        let mut actions = Vec::new();
        for key in keys.chars() {
            actions.push(json!({"type": "keyDown", "value": key.to_string()}));
            actions.push(json!({"type": "keyUp", "value": key.to_string()}));
        }
        self.post(
            "/actions",
            &json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]}),
        );
    }

    /// Chooses an option of a `<select>` as a user does.
    pub fn choose(&self, id: &str, value: &str) {
        self.run(&format!(
            "const s = document.getElementById({}); s.value = {}; s.dispatchEvent(new Event('change', {{bubbles: true}}))",
            json!(id),
            json!(value)
        ));
    }

    /// Sets the window's inner size, as a phone has it where it is narrow.
    pub fn emulate(&self, width: u32, height: u32) {
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            &json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}),
        );
    }

    /// Makes the system ask for `dark` or `light`.
    pub fn prefer(&self, scheme: &str) {
        self.cdp(
            "Emulation.setEmulatedMedia",
            &json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}),
        );
    }

    fn cdp(&self, command: &str, parameters: &Value) {
        self.post(
            "/goog/cdp/execute",
            &json!({"cmd": command, "params": parameters}),
        );
    }

    /// When the document was there and when its samples could be looked at, in milliseconds since the page was asked for.
    pub fn load_times(&self) -> Value {
        self.value(
            "(() => { const n = performance.getEntriesByType('navigation')[0]; const r = performance.getEntriesByName('samples-ready')[0]; return {document: Math.round(n.domContentLoadedEventEnd), samples: Math.round(r.startTime)} })()",
        )
    }

    /// What the page wrote on its console, errors of its policy among it.
    pub fn log(&self) -> Value {
        self.post("/se/log", &json!({"type": "browser"}))
    }

    /// A picture of the window, into the folder that `EVALH_SCREENSHOTS` names, where it does.
    pub fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("EVALH_SCREENSHOTS") else {
            return;
        };
        let picture = self.call("GET", "/screenshot", &Value::Null).unwrap();
        let bytes = STANDARD.decode(picture.as_str().unwrap()).unwrap();
        std::fs::write(Path::new(&folder).join(format!("{name}.png")), bytes).unwrap();
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.call("POST", path, body)
            .unwrap_or_else(|| panic!("{path} {body}"))
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Option<Value> {
        let url = format!("{}{path}", self.session);
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let answer = match method {
            "GET" => agent.get(&url).call(),
            "DELETE" => agent.delete(&url).call(),
            _ => agent
                .post(&url)
                .content_type("application/json")
                .send(body.to_string()),
        };
        let mut answer = answer.ok()?;
        let limit = 64 << 20;
        let text = answer
            .body_mut()
            .with_config()
            .limit(limit)
            .read_to_string();
        let mut value: Value = serde_json::from_str(&text.ok()?).ok()?;
        if !answer.status().is_success() {
            eprintln!("{method} {path}: {}", value["value"]["message"]);
            return None;
        }
        Some(value["value"].take())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.call("DELETE", "", &Value::Null);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

//! A browser without a window, driven through the DevTools protocol: just what the test needs.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

/// How long the browser may take for one answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Where a browser may be.
const PLACES: [&str; 3] =
    ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/// A browser with one page.
pub struct Browser {
    process: Child,
    socket: WebSocket<TcpStream>,
    session: Option<String>,
    asked: u64,
    /// What the page complained about, and what it asked the network for.
    pub complaints: Vec<String>,
    _profile: tempfile::TempDir,
}

/// The browser's program, if there is one.
pub fn find() -> Option<PathBuf> {
    PLACES.iter().map(PathBuf::from).find(|path| path.exists())
}

impl Browser {
    /// Starts a browser with an empty profile.
    pub fn start(program: &Path) -> Browser {
        let profile = tempfile::tempdir().expect("a folder for the profile");
        let process = Command::new(program)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--remote-debugging-port=0",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the browser starts");
        let socket = connect(&profile.path().join("DevToolsActivePort"));
        let complaints = Vec::new();
        let mut browser =
            Browser { process, socket, session: None, asked: 0, complaints, _profile: profile };
        browser.attach();
        browser
    }

    fn attach(&mut self) {
        let target = self.ask("Target.createTarget", json!({"url": "about:blank"}));
        let target = target["targetId"].as_str().expect("a target").to_owned();
        let session =
            self.ask("Target.attachToTarget", json!({"targetId": target, "flatten": true}));
        self.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.ask(&format!("{domain}.enable"), json!({}));
        }
    }

    /// Opens a file, and waits until its charts are drawn.
    pub fn open(&mut self, page: &Path) {
        self.ask("Page.navigate", json!({"url": format!("file://{}", page.display())}));
        let begun = Instant::now();
        while self.run("document.documentElement?.dataset.ready === 'true'") != json!(true) {
            assert!(begun.elapsed() < PATIENCE, "the page is not ready: {:?}", self.complaints);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The value of an expression in the page.
    pub fn run(&mut self, expression: &str) -> Value {
        let asked = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.ask("Runtime.evaluate", asked);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Presses and releases a key.
    pub fn press(&mut self, key: &str, code: u32, text: &str) {
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let key =
                json!({"type": kind, "key": key, "windowsVirtualKeyCode": code, "text": text});
            self.ask("Input.dispatchKeyEvent", key);
        }
    }

    /// Moves the mouse.
    pub fn point(&mut self, x: f64, y: f64) {
        self.ask("Input.dispatchMouseEvent", json!({"type": "mouseMoved", "x": x, "y": y}));
    }

    /// Makes the page so many pixels wide.
    pub fn resize(&mut self, width: u32) {
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.ask("Emulation.setDeviceMetricsOverride", size);
        std::thread::sleep(Duration::from_millis(400));
    }

    /// A picture of the whole page (PNG in base64), or the page on paper (PDF in base64).
    pub fn picture(&mut self, on_paper: bool) -> String {
        let answer = if on_paper {
            self.ask("Page.printToPDF", json!({"preferCSSPageSize": true, "printBackground": true}))
        } else {
            self.ask("Page.captureScreenshot", json!({"captureBeyondViewport": true}))
        };
        answer["data"].as_str().unwrap_or_default().to_owned()
    }

    /// Asks, and reads until the answer comes; events between are looked at.
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        self.asked += 1;
        let mut message = json!({"id": self.asked, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.socket.send(Message::text(message.to_string())).expect("the browser listens");
        loop {
            let text = match self.socket.read().expect("the browser answers") {
                Message::Text(text) => text.to_string(),
                _ => continue,
            };
            let answer: Value = serde_json::from_str(&text).expect("JSON");
            if answer["id"] == json!(self.asked) {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
            self.listen(&answer);
        }
    }

    fn listen(&mut self, event: &Value) {
        let params = &event["params"];
        let complaint = match event["method"].as_str().unwrap_or_default() {
            "Runtime.exceptionThrown" => Some(params["exceptionDetails"].to_string()),
            "Runtime.consoleAPICalled" if params["type"] != json!("log") => {
                Some(params.to_string())
            }
            "Log.entryAdded" => Some(params["entry"].to_string()),
            "Network.requestWillBeSent" => {
                let url = params["request"]["url"].as_str().unwrap_or_default();
                let inside = ["file:", "data:", "about:"].iter().any(|kind| url.starts_with(kind));
                (!inside).then(|| format!("asked the network for {url}"))
            }
            _ => None,
        };
        self.complaints.extend(complaint);
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may be gone already; there is nothing to be done about it here.
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// The browser writes its port and the path of its socket into a file when it is ready.
fn connect(file: &Path) -> WebSocket<TcpStream> {
    let begun = Instant::now();
    loop {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        if let Some((port, path)) = text.split_once('\n').filter(|(_, path)| !path.is_empty()) {
            let stream = TcpStream::connect(format!("127.0.0.1:{port}")).expect("a connection");
            stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
            let address = format!("ws://127.0.0.1:{port}{}", path.trim());
            return tungstenite::client(address, stream).expect("a socket").0;
        }
        assert!(begun.elapsed() < PATIENCE, "the browser does not say its port");
        std::thread::sleep(Duration::from_millis(50));
    }
}

//! The Hugging Face hub as the user set it up.

use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};

/// Endpoint, token and folders of the Hugging Face hub, as its own tools read them from the environment.
#[derive(Clone, PartialEq, Eq)]
pub struct HubSettings {
    /// `HF_ENDPOINT`, without a slash at its end.
    pub endpoint: String,
    /// `HF_TOKEN`, else the content of the file `HF_TOKEN_PATH`, else of `HF_HOME/token`.
    pub token: Option<String>,
    /// `HF_HUB_OFFLINE`: no connection is made.
    pub offline: bool,
    /// `HF_HUB_CACHE`, else `HF_HOME/hub`: files that other tools already fetched are taken from there.
    pub cache: Option<PathBuf>,
    /// `SSL_CERT_FILE`, else `REQUESTS_CA_BUNDLE`, else `CURL_CA_BUNDLE`: certificates to trust instead of Mozilla's.
    pub ca_file: Option<PathBuf>,
}

impl Default for HubSettings {
    fn default() -> Self {
        Self {
            endpoint: "https://huggingface.co".to_owned(),
            token: None,
            offline: false,
            cache: None,
            ca_file: None,
        }
    }
}

impl fmt::Debug for HubSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubSettings")
            .field("endpoint", &self.endpoint)
            .field("token", &self.token.as_ref().map(|_| "(set)"))
            .field("offline", &self.offline)
            .field("cache", &self.cache)
            .field("ca_file", &self.ca_file)
            .finish()
    }
}

impl HubSettings {
    /// The settings of the environment.
    pub fn from_env() -> Self {
        Self::from_vars(|name| std::env::var_os(name), dirs::home_dir().as_deref())
    }

    /// The settings that variables and a home folder give.
    fn from_vars(get: impl Fn(&str) -> Option<OsString>, home: Option<&Path>) -> Self {
        let var = |name: &str| get(name).filter(|value| !value.is_empty());
        let path = |name: &str| var(name).map(PathBuf::from);
        let text = |name: &str| var(name).and_then(|value| value.into_string().ok());
        let hf_home = path("HF_HOME")
            .or_else(|| path("XDG_CACHE_HOME").map(|dir| dir.join("huggingface")))
            .or_else(|| home.map(|dir| dir.join(".cache").join("huggingface")));
        let trimmed =
            |token: String| Some(token.trim().to_owned()).filter(|token| !token.is_empty());
        let token = text("HF_TOKEN")
            .or_else(|| text("HUGGING_FACE_HUB_TOKEN"))
            .and_then(trimmed)
            .or_else(|| match (path("HF_TOKEN_PATH"), &hf_home) {
                (Some(file), _) => std::fs::read_to_string(file).ok().and_then(trimmed),
                (None, Some(dir)) => hf_hub::Cache::new(dir.join("hub")).token(),
                (None, None) => None,
            });
        let default = Self::default();
        Self {
            endpoint: text("HF_ENDPOINT")
                .map_or(default.endpoint, |e| e.trim_end_matches('/').to_owned()),
            token,
            offline: text("HF_HUB_OFFLINE").is_some_and(|value| {
                matches!(
                    value.to_ascii_lowercase().as_str(),
                    "1" | "on" | "yes" | "true"
                )
            }),
            cache: path("HF_HUB_CACHE").or_else(|| hf_home.map(|dir| dir.join("hub"))),
            ca_file: path("SSL_CERT_FILE")
                .or_else(|| path("REQUESTS_CA_BUNDLE"))
                .or_else(|| path("CURL_CA_BUNDLE")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(vars: &[(&str, &str)], home: &Path) -> HubSettings {
        HubSettings::from_vars(
            |name| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| v.into()),
            Some(home),
        )
    }

    #[test]
    fn the_usual_variables_are_read() {
        let home = tempfile::tempdir().unwrap();
        let plain = settings(&[], home.path());
        assert_eq!(plain.endpoint, "https://huggingface.co");
        assert_eq!(plain.token, None);
        assert!(!plain.offline);
        assert_eq!(
            plain.cache,
            Some(home.path().join(".cache/huggingface/hub"))
        );

        let set = settings(
            &[
                ("HF_ENDPOINT", "http://mirror.test/"),
                ("HF_TOKEN", " hf_secret\n"),
                ("HF_HUB_OFFLINE", "TRUE"),
                ("HF_HOME", "/hf"),
                ("SSL_CERT_FILE", ""),
                ("CURL_CA_BUNDLE", "/ca.pem"),
            ],
            home.path(),
        );
        assert_eq!(set.endpoint, "http://mirror.test");
        assert_eq!(set.token.as_deref(), Some("hf_secret"));
        assert!(set.offline);
        assert_eq!(set.cache, Some(PathBuf::from("/hf/hub")));
        assert_eq!(set.ca_file, Some(PathBuf::from("/ca.pem")));
        assert!(
            !format!("{set:?}").contains("hf_secret"),
            "a token is never shown"
        );
    }

    #[test]
    fn the_token_file_stands_in_for_the_variable() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(".cache/huggingface");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("token"), "hf_file\n").unwrap();
        assert_eq!(settings(&[], home.path()).token.as_deref(), Some("hf_file"));
        let other = home.path().join("other");
        std::fs::write(&other, "hf_other").unwrap();
        let by_path = settings(&[("HF_TOKEN_PATH", other.to_str().unwrap())], home.path());
        assert_eq!(by_path.token.as_deref(), Some("hf_other"));
    }
}

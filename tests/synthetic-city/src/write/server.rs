//! URLs of database servers.

/// The URL with its database replaced: `scheme://authority/database?parameters`.
pub(super) fn with_database(url: &str, database: &str) -> String {
    let (address, parameters) = match url.split_once('?') {
        Some((address, parameters)) => (address, format!("?{parameters}")),
        None => (url, String::new()),
    };
    let authority = address.find("://").map_or(0, |at| at + 3);
    let end = address[authority..]
        .find('/')
        .map_or(address.len(), |at| authority + at);
    format!("{}/{database}{parameters}", &address[..end])
}

#[cfg(test)]
mod tests {
    use super::with_database;

    #[test]
    fn only_the_database_changes() {
        for (url, expected) in [
            (
                "postgres://me@db:5432/postgres",
                "postgres://me@db:5432/hzgl",
            ),
            ("postgres://me@db", "postgres://me@db/hzgl"),
            (
                "postgres:///postgres?host=/run/pg&user=me",
                "postgres:///hzgl?host=/run/pg&user=me",
            ),
            (
                "mysql://root:secret@127.0.0.1:3306/mysql",
                "mysql://root:secret@127.0.0.1:3306/hzgl",
            ),
        ] {
            assert_eq!(with_database(url, "hzgl"), expected);
        }
    }
}

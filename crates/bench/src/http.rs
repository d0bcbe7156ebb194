//! A load client that costs little: HTTP/1.1 over one kept connection, for answers with a Content-Length.

use std::io;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// One connection to the server.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// `Retry-After`. Seconds.
    pub(crate) retry_after: Option<u64>,
    /// `Orderstream-Position`: up to where a reader has to have read to see what was done.
    pub(crate) position: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The text of a field of the body, found without reading the rest: for fields whose text needs no escapes.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        let body = std::str::from_utf8(&self.body).ok()?;
        let name = format!("\"{field}\":\"");
        let begin = body.find(&name)? + name.len();
        body[begin..].split('"').next()
    }
}

/// A request as it goes over the wire; it can be sent any number of times.
pub(crate) fn request(method: &str, path: &str, token: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

impl Connection {
    pub(crate) async fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(8192) })
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        token: &str,
        body: &str,
    ) -> io::Result<Answer> {
        self.send_prepared(&request(method, path, token, body)).await
    }

    /// The same with a [`request`] that was made before.
    pub(crate) async fn send_prepared(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let (head, end) = read_message(&mut self.stream, &mut self.buffer).await?;
        let text = std::str::from_utf8(&self.buffer[..head]).map_err(|_| wrong())?;
        let status = text.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(wrong)?;
        let retry_after = header(text, "retry-after").and_then(|value| value.parse().ok());
        let position = header(text, "orderstream-position").map(str::to_owned);
        Ok(Answer { status, retry_after, position, body: self.buffer[head..end].to_vec() })
    }
}

/// Reads until the buffer holds a whole message; where its head ends and where its body does.
pub(crate) async fn read_message(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<(usize, usize)> {
    let head = loop {
        if let Some(end) = find(buffer, b"\r\n\r\n") {
            break end + 4;
        }
        fill(stream, buffer).await?;
    };
    let text = std::str::from_utf8(&buffer[..head]).map_err(|_| wrong())?;
    let length = header(text, "content-length").map_or(Ok(0), str::parse::<usize>).map_err(|_| wrong())?;
    while buffer.len() < head + length {
        fill(stream, buffer).await?;
    }
    Ok((head, head + length))
}

async fn fill(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<()> {
    match stream.read_buf(buffer).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn header<'a>(head: &'a str, wanted: &str) -> Option<&'a str> {
    let fields = head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
    fields.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
}

fn wrong() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "not an HTTP message with a content-length")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_found_whatever_its_case_and_only_by_its_whole_name() {
        let head = "HTTP/1.1 503 Service Unavailable\r\nX-Retry-After: 9\r\nRetry-After: 2\r\n\r\n";
        assert_eq!(header(head, "retry-after"), Some("2"));
        assert_eq!(header(head, "content-length"), None);
    }

    #[test]
    fn a_field_of_a_body_is_found_by_its_name() {
        let body = br#"{"status":503,"code":"overloaded"}"#.to_vec();
        let answer = Answer { status: 503, retry_after: None, position: None, body };
        assert_eq!(answer.text("code"), Some("overloaded"));
        assert_eq!(answer.text("detail"), None);
    }
}

//! Tests of queries and subscriptions over HTTP and WebSockets.

use futures::{SinkExt, StreamExt};
use pipeline::component::{Exporter, Tasks};
use serde_json::{Value as Json, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_util::sync::CancellationToken;

use super::{Shop, change};

/// Starts the exporter and returns its address. It serves until the token is cancelled.
async fn serve(shop: &mut Shop) -> (String, CancellationToken) {
    let stop = CancellationToken::new();
    let mut tasks = Tasks::new(stop.clone());
    let listening = shop.graphql.start(&mut tasks).await.unwrap();
    for task in tasks.into_futures() {
        tokio::spawn(task);
    }
    (listening[0].address.to_string(), stop)
}

async fn http(
    request: impl FnOnce(ureq::Agent) -> (u16, String) + Send + 'static,
) -> (u16, String) {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    let agent: ureq::Agent = config.build().into();
    tokio::task::spawn_blocking(move || request(agent))
        .await
        .unwrap()
}

fn read(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> (u16, String) {
    let mut answer = answer.unwrap();
    let status = answer.status().as_u16();
    (status, answer.body_mut().read_to_string().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_are_accepted_by_post_and_get() {
    let mut shop = Shop::new().await;
    let (address, stop) = serve(&mut shop).await;
    let url = format!("http://{address}/graphql");
    let body = json!({"query": "query Q($uid: String!) { node(uid: $uid) { uid } }", "variables": {"uid": "sg-1"}});
    let (at, text) = (url.clone(), body.to_string());
    let (status, answer) =
        http(move |agent| read(agent.post(at).content_type("application/json").send(text))).await;
    assert_eq!(
        (status, answer.as_str()),
        (200, r#"{"data":{"node":{"uid":"arn:sg"}}}"#)
    );
    let at = format!("{url}?query=%7B%20node(uid%3A%22sg-1%22)%7Buid%7D%7D");
    let (status, got) = http(move |agent| read(agent.get(at).call())).await;
    assert_eq!((status, got), (200, answer));
    let (at, text) = (url.clone(), body.to_string());
    let (status, _) =
        http(move |agent| read(agent.post(at).content_type("text/plain").send(text))).await;
    assert_eq!(
        status, 415,
        "browsers send text/plain from other sites without a CORS preflight"
    );
    let at = url.clone();
    let (status, _) = http(move |agent| read(agent.get(at).call())).await;
    assert_eq!(status, 400);
    let at = format!("http://{address}/schema.graphql");
    let (status, schema) = http(move |agent| read(agent.get(at).call())).await;
    assert!(
        status == 200 && schema.contains("serviceMap(") && schema.contains("scalar DateTime"),
        "{schema}"
    );
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_pushed_over_graphql_transport_ws() {
    let mut shop = Shop::new().await;
    let (address, stop) = serve(&mut shop).await;
    let mut request = format!("ws://{address}/graphql")
        .into_client_request()
        .unwrap();
    let protocol = "graphql-transport-ws";
    request
        .headers_mut()
        .insert("sec-websocket-protocol", protocol.parse().unwrap());
    let (mut socket, answer) = connect_async(request).await.unwrap();
    assert_eq!(answer.headers()["sec-websocket-protocol"], protocol);
    let frame = |json: Json| Message::text(json.to_string());
    socket
        .send(frame(json!({"type": "connection_init"})))
        .await
        .unwrap();
    let parse = |message: Option<Result<Message, _>>| -> Json {
        let message: Message = message.unwrap().unwrap();
        serde_json::from_str(message.to_text().unwrap()).unwrap()
    };
    assert_eq!(parse(socket.next().await)["type"], "connection_ack");
    let query = "subscription { changes { changes { id } } }";
    socket
        .send(frame(
            json!({"type": "subscribe", "id": "1", "payload": {"query": query}}),
        ))
        .await
        .unwrap();
    // Requests begin in order, so the subscription is active after the response to this query.
    socket
        .send(frame(
            json!({"type": "subscribe", "id": "2", "payload": {"query": "{ __typename }"}}),
        ))
        .await
        .unwrap();
    assert_eq!(parse(socket.next().await)["id"], "2");
    shop.write(change("e", 4)).await;
    loop {
        let pushed = parse(socket.next().await);
        if pushed["id"] == "1" {
            assert_eq!(
                pushed["payload"]["data"]["changes"]["changes"],
                json!([{"id": "e"}])
            );
            break;
        }
    }
    stop.cancel();
    let last = tokio::time::timeout(std::time::Duration::from_secs(5), async {
        while let Some(Ok(_)) = socket.next().await {}
    });
    last.await.expect("shutdown closes the socket within 5s");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_from_another_origin_is_rejected() {
    let mut shop = Shop::new().await;
    let (address, stop) = serve(&mut shop).await;
    let is_rejected = async |origin: String| {
        let mut request = format!("ws://{address}/graphql")
            .into_client_request()
            .unwrap();
        let headers = request.headers_mut();
        headers.insert(
            "sec-websocket-protocol",
            "graphql-transport-ws".parse().unwrap(),
        );
        headers.insert("origin", origin.parse().unwrap());
        connect_async(request).await.is_err()
    };
    assert!(is_rejected("https://evil.example".to_owned()).await);
    assert!(!is_rejected(format!("http://{address}")).await);
    stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_not_allowed_is_rejected_for_queries_and_websockets_and_the_schema() {
    let mut shop = Shop::with(|config| {
        config.allowed_hosts = vec!["airdig.example.com".parse().unwrap()];
    })
    .await;
    let (address, stop) = serve(&mut shop).await;
    let get = async |path: &str, host: &'static str| {
        let at = format!("http://{address}{path}");
        http(move |agent| read(agent.get(at).header("host", host).call())).await
    };
    let query = "/graphql?query=%7B__typename%7D";
    for path in [query, "/schema.graphql"] {
        assert_eq!(
            get(path, "evil.example:8080").await,
            (
                403,
                "the host evil.example is not allowed: use an IP address, or add the host to \
                 exporters.sqlite.allowed_hosts"
                    .to_owned()
            )
        );
        assert_eq!(get(path, "airdig.example.com").await.0, 200);
    }
    let upgrade = async |host: &str| {
        let mut request = format!("ws://{address}/graphql")
            .into_client_request()
            .unwrap();
        let headers = request.headers_mut();
        let protocol = "graphql-transport-ws".parse().unwrap();
        headers.insert("sec-websocket-protocol", protocol);
        headers.insert("host", host.parse().unwrap());
        headers.insert("origin", format!("http://{host}").parse().unwrap());
        connect_async(request).await.is_ok()
    };
    assert!(!upgrade("evil.example").await);
    assert!(upgrade("airdig.example.com").await);
    stop.cancel();
}

#[tokio::test]
async fn the_error_for_a_port_in_use_names_the_configuration_key() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut shop = Shop::with(|config| config.endpoint = address.parse().unwrap()).await;
    let mut tasks = Tasks::new(CancellationToken::new());
    let error = shop
        .graphql
        .start(&mut tasks)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(&address) && error.contains("exporters.sqlite.endpoint"),
        "{error}"
    );
}

use serde_json::{Value, json};

use crate::common::{TestServer, krw};

#[tokio::test]
async fn a_product_is_registered_edited_restocked_and_removed() {
    let server = TestServer::start().await;
    let (books, nobody) = (server.shop("books"), server.nobody());
    let answer =
        books.post("/v1/shops/books/products", json!({"name": "Maps", "price": krw(900), "stock": 4})).await;
    let path = answer.header("location");
    let product = answer.expect(201);
    let shown: Vec<&Value> =
        ["name", "price", "stock", "status", "shop_id"].iter().map(|f| &product[*f]).collect();
    assert_eq!(shown, [&json!("Maps"), &krw(900), &json!(4), &json!("listed"), &json!("books")]);
    assert_eq!(nobody.get(&path).await.expect(200), product);
    let product = books.patch(&path, json!({"name": "Old Maps"})).await.expect(200);
    assert_eq!((&product["name"], &product["price"]), (&json!("Old Maps"), &krw(900)));
    let product = books.post(&format!("{path}/restock"), json!({"quantity": 6})).await.expect(200);
    assert_eq!(product["stock"], 10);
    books.delete(&path).await.expect(204);
    books.delete(&path).await.problem(409, "already_withdrawn");
    books.patch(&path, json!({"name": "New"})).await.problem(409, "product_withdrawn");
    assert_eq!(nobody.get(&path).await.expect(200)["status"], "withdrawn");
    let names = |page: Value| page["data"].to_string();
    assert!(!names(nobody.get("/v1/products?shop_id=books").await.expect(200)).contains("Old Maps"));
    assert!(
        names(nobody.get("/v1/products?shop_id=books&status=all").await.expect(200)).contains("Old Maps")
    );
    server.stop().await;
}

#[tokio::test]
async fn registering_under_a_key_registers_once() {
    let server = TestServer::start().await;
    let books = server.shop("books");
    let body = json!({"name": "Maps", "price": krw(900)});
    let register = || books.post_with("/v1/shops/books/products", ("idempotency-key", "m"), body.clone());
    let first = register().await.expect(201);
    assert_eq!(register().await.expect(201), first);
    server.stop().await;
}

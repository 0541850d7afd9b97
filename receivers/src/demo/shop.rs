//! The simulated shop: eight services, a database, and the calls between them.
//!
//! ```text
//!            ┌▶ cart ─────────────────────┐
//!  frontend ─┼▶ recommendation ─▶ catalog ┼▶ PostgreSQL
//!            ├▶ catalog ──────────────────┤
//!            └▶ checkout ─────────────────┘
//!                  ├▶ cart, payment, shipping
//!                  └▶ notifications (Kafka)
//! ```

use pipeline::uid;

pub(super) const ENVIRONMENT: &str = "prod";
pub(super) const NAMESPACE: &str = "shop";
/// The service whose new versions the script deploys.
pub(super) const DEPLOYED: ShopService = ShopService::Catalog;

/// A service of the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum ShopService {
    Frontend,
    Cart,
    Checkout,
    Catalog,
    Payment,
    Shipping,
    Recommendation,
    Notifications,
}

impl ShopService {
    pub(super) const ALL: [ShopService; 8] = [
        ShopService::Frontend,
        ShopService::Cart,
        ShopService::Checkout,
        ShopService::Catalog,
        ShopService::Payment,
        ShopService::Shipping,
        ShopService::Recommendation,
        ShopService::Notifications,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            ShopService::Frontend => "frontend",
            ShopService::Cart => "cart",
            ShopService::Checkout => "checkout",
            ShopService::Catalog => "catalog",
            ShopService::Payment => "payment",
            ShopService::Shipping => "shipping",
            ShopService::Recommendation => "recommendation",
            ShopService::Notifications => "notifications",
        }
    }

    pub(super) const fn team(self) -> &'static str {
        match self {
            ShopService::Frontend | ShopService::Recommendation => "storefront",
            ShopService::Catalog => "catalog",
            ShopService::Cart | ShopService::Checkout | ShopService::Payment => "payments",
            ShopService::Shipping | ShopService::Notifications => "fulfilment",
        }
    }

    pub(super) const fn replicas(self) -> u32 {
        match self {
            ShopService::Frontend
            | ShopService::Cart
            | ShopService::Checkout
            | ShopService::Catalog => 2,
            _ => 1,
        }
    }

    /// The version that runs after this number of deploys.
    pub(super) fn version(self, deploys: u64) -> String {
        match (self, deploys) {
            (DEPLOYED, 0) => "1.3.2".to_owned(),
            (DEPLOYED, deploys) => format!("1.4.{}", deploys - 1),
            (ShopService::Frontend, _) => "3.11.0".to_owned(),
            (ShopService::Checkout, _) => "2.0.5".to_owned(),
            _ => "1.0.0".to_owned(),
        }
    }

    pub(super) fn uid(self) -> String {
        uid::service(ENVIRONMENT, NAMESPACE, self.name())
    }

    /// The host name of the service inside the cluster.
    pub(super) fn host(self) -> String {
        format!("{}.{NAMESPACE}.svc.cluster.local", self.name())
    }
}

/// One replica of a service; a deploy replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Pod {
    pub(super) service: ShopService,
    pub(super) replica: u32,
    /// The number of deploys of the service before this pod started.
    pub(super) deploys: u64,
}

impl Pod {
    pub(super) fn new(service: ShopService, replica: u32, deploys: u64) -> Pod {
        let deploys = if service == DEPLOYED { deploys } else { 0 };
        Pod {
            service,
            replica,
            deploys,
        }
    }

    /// All pods that run after this number of deploys.
    pub(super) fn all(deploys: u64) -> impl Iterator<Item = Pod> {
        ShopService::ALL.into_iter().flat_map(move |service| {
            (0..service.replicas()).map(move |replica| Pod::new(service, replica, deploys))
        })
    }

    pub(super) fn version(self) -> String {
        self.service.version(self.deploys)
    }
}

/// An HTTP endpoint of a service.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) service: ShopService,
    pub(super) method: &'static str,
    pub(super) route: &'static str,
    /// The median duration of the operation without its calls, in milliseconds.
    pub(super) median_ms: f64,
    /// The calls that the operation makes, one after the other.
    pub(super) calls: &'static [Call],
}

/// A call that an operation makes.
#[derive(Debug)]
pub(super) enum Call {
    /// A call without which the caller fails.
    Http(&'static Operation),
    /// A call without which the caller continues.
    Optional(&'static Operation),
    Query(&'static Query),
    Publish(&'static Topic),
}

/// A database statement.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) operation: &'static str,
    pub(super) table: &'static str,
    /// The median duration in milliseconds.
    pub(super) median_ms: f64,
}

/// A Kafka topic with one consumer.
#[derive(Debug)]
pub(super) struct Topic {
    pub(super) name: &'static str,
    pub(super) consumer: ShopService,
    /// The median time in which the consumer processes a message, in milliseconds.
    pub(super) median_ms: f64,
}

macro_rules! operation {
    ($name:ident: $service:ident $method:literal $route:literal $median_ms:literal [$($call:expr),*]) => {
        static $name: Operation = Operation {
            service: ShopService::$service,
            method: $method,
            route: $route,
            median_ms: $median_ms,
            calls: &[$($call),*],
        };
    };
}

const fn query(operation: &'static str, table: &'static str, median_ms: f64) -> Query {
    Query {
        operation,
        table,
        median_ms,
    }
}

static SELECT_PRODUCTS: Query = query("SELECT", "products", 6.0);
static SELECT_PRODUCT: Query = query("SELECT", "products", 2.5);
static SELECT_CART: Query = query("SELECT", "carts", 2.0);
static INSERT_CART: Query = query("INSERT", "cart_items", 4.0);
static INSERT_ORDER: Query = query("INSERT", "orders", 7.0);
static ORDERS: Topic = Topic {
    name: "orders",
    consumer: ShopService::Notifications,
    median_ms: 25.0,
};

operation!(LIST: Catalog "GET" "/api/products" 4.0 [Call::Query(&SELECT_PRODUCTS)]);
operation!(SHOW: Catalog "GET" "/api/products/{id}" 2.0 [Call::Query(&SELECT_PRODUCT)]);
operation!(RECOMMEND: Recommendation "GET" "/api/recommendations/{id}" 12.0 [Call::Http(&LIST)]);
operation!(READ_CART: Cart "GET" "/api/carts/{id}" 2.0 [Call::Query(&SELECT_CART)]);
operation!(FILL_CART: Cart "POST" "/api/carts/{id}/items" 3.0 [Call::Query(&INSERT_CART)]);
operation!(CHARGE: Payment "POST" "/api/charges" 60.0 []);
operation!(SHIP: Shipping "POST" "/api/shipments" 18.0 []);
operation!(ORDER: Checkout "POST" "/api/orders" 8.0 [
    Call::Http(&READ_CART),
    Call::Http(&CHARGE),
    Call::Query(&INSERT_ORDER),
    Call::Http(&SHIP),
    Call::Publish(&ORDERS)
]);

operation!(HOME: Frontend "GET" "/" 6.0 [Call::Http(&LIST)]);
operation!(PRODUCT: Frontend "GET" "/products/{id}" 5.0 [
    Call::Http(&SHOW),
    Call::Optional(&RECOMMEND)
]);
operation!(CART: Frontend "GET" "/cart/{id}" 4.0 [Call::Http(&READ_CART)]);
operation!(ADD: Frontend "POST" "/cart/{id}/items" 4.0 [Call::Http(&FILL_CART)]);
operation!(BUY: Frontend "POST" "/checkout" 6.0 [Call::Http(&ORDER)]);

/// The requests of users, each with its weight in percent.
pub(super) static REQUESTS: [(u32, &Operation); 5] = [
    (30, &HOME),
    (30, &PRODUCT),
    (15, &CART),
    (15, &ADD),
    (10, &BUY),
];

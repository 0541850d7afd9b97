//! The company: a web shop of eight services and a database, and who calls whom for what.
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
/// The one whose new versions are deployed.
pub(super) const DEPLOYED: Service = Service::Catalog;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Service {
    Frontend,
    Cart,
    Checkout,
    Catalog,
    Payment,
    Shipping,
    Recommendation,
    Notifications,
}

impl Service {
    pub(super) const ALL: [Service; 8] = [
        Service::Frontend,
        Service::Cart,
        Service::Checkout,
        Service::Catalog,
        Service::Payment,
        Service::Shipping,
        Service::Recommendation,
        Service::Notifications,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Service::Frontend => "frontend",
            Service::Cart => "cart",
            Service::Checkout => "checkout",
            Service::Catalog => "catalog",
            Service::Payment => "payment",
            Service::Shipping => "shipping",
            Service::Recommendation => "recommendation",
            Service::Notifications => "notifications",
        }
    }

    pub(super) const fn team(self) -> &'static str {
        match self {
            Service::Frontend | Service::Recommendation => "storefront",
            Service::Catalog => "catalog",
            Service::Cart | Service::Checkout | Service::Payment => "payments",
            Service::Shipping | Service::Notifications => "fulfilment",
        }
    }

    pub(super) const fn replicas(self) -> u32 {
        match self {
            Service::Frontend | Service::Cart | Service::Checkout | Service::Catalog => 2,
            _ => 1,
        }
    }

    /// The version that runs after so many deploys of the script.
    pub(super) fn version(self, deploys: u64) -> String {
        match (self, deploys) {
            (DEPLOYED, 0) => "1.3.2".to_owned(),
            (DEPLOYED, deploys) => format!("1.4.{}", deploys - 1),
            (Service::Frontend, _) => "3.11.0".to_owned(),
            (Service::Checkout, _) => "2.0.5".to_owned(),
            _ => "1.0.0".to_owned(),
        }
    }

    pub(super) fn uid(self) -> String {
        uid::service(ENVIRONMENT, NAMESPACE, self.name())
    }

    /// Where others reach it inside the cluster.
    pub(super) fn host(self) -> String {
        format!("{}.{NAMESPACE}.svc.cluster.local", self.name())
    }
}

/// One copy of a service; a deploy replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Pod {
    pub(super) service: Service,
    pub(super) replica: u32,
    /// How often its service was deployed before.
    pub(super) deploys: u64,
}

impl Pod {
    pub(super) fn new(service: Service, replica: u32, deploys: u64) -> Pod {
        let deploys = if service == DEPLOYED { deploys } else { 0 };
        Pod {
            service,
            replica,
            deploys,
        }
    }

    /// All that run after so many deploys of the script.
    pub(super) fn all(deploys: u64) -> impl Iterator<Item = Pod> {
        Service::ALL.into_iter().flat_map(move |service| {
            (0..service.replicas()).map(move |replica| Pod::new(service, replica, deploys))
        })
    }

    pub(super) fn version(self) -> String {
        self.service.version(self.deploys)
    }
}

/// What a service does when it is called over HTTP.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) service: Service,
    pub(super) method: &'static str,
    pub(super) route: &'static str,
    /// Median time that it takes without its calls, in milliseconds.
    pub(super) takes: f64,
    /// One after the other.
    pub(super) calls: &'static [Call],
}

#[derive(Debug)]
pub(super) enum Call {
    /// Fails the caller where it fails.
    Http(&'static Operation),
    /// The caller does without where it fails.
    Optional(&'static Operation),
    Query(&'static Query),
    Publish(&'static Topic),
}

/// A statement that the database executes.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) operation: &'static str,
    pub(super) table: &'static str,
    /// Median time in milliseconds.
    pub(super) takes: f64,
}

/// A Kafka topic with one consumer.
#[derive(Debug)]
pub(super) struct Topic {
    pub(super) name: &'static str,
    pub(super) consumer: Service,
    /// Median time that the consumer takes for a message, in milliseconds.
    pub(super) takes: f64,
}

macro_rules! operation {
    ($name:ident: $service:ident $method:literal $route:literal $takes:literal [$($call:expr),*]) => {
        static $name: Operation = Operation {
            service: Service::$service,
            method: $method,
            route: $route,
            takes: $takes,
            calls: &[$($call),*],
        };
    };
}

const fn query(operation: &'static str, table: &'static str, takes: f64) -> Query {
    Query {
        operation,
        table,
        takes,
    }
}

static SELECT_PRODUCTS: Query = query("SELECT", "products", 6.0);
static SELECT_PRODUCT: Query = query("SELECT", "products", 2.5);
static SELECT_CART: Query = query("SELECT", "carts", 2.0);
static INSERT_CART: Query = query("INSERT", "cart_items", 4.0);
static INSERT_ORDER: Query = query("INSERT", "orders", 7.0);
static ORDERS: Topic = Topic {
    name: "orders",
    consumer: Service::Notifications,
    takes: 25.0,
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

/// What users ask for, and how often of a hundred times.
pub(super) static REQUESTS: [(u32, &Operation); 5] = [
    (30, &HOME),
    (30, &PRODUCT),
    (15, &CART),
    (15, &ADD),
    (10, &BUY),
];

//! The uids, names, hosts and addresses of the resources.

use pipeline::uid;

use crate::kinds::{BALANCER, BUCKET, DATABASE, FUNCTION, KEY, KINDS, POD, RECORD, ROLE, SERVICE};
use crate::layout::{Layout, ResourceId, mix};

pub(crate) const APPS: [&str; 20] = [
    "checkout",
    "payments",
    "catalog",
    "search",
    "orders",
    "shipping",
    "pricing",
    "identity",
    "inventory",
    "reviews",
    "billing",
    "notify",
    "ledger",
    "fraud",
    "media",
    "reports",
    "gateway",
    "sessions",
    "loyalty",
    "returns",
];
const PARTS: [&str; 8] = [
    "api", "worker", "db", "cache", "web", "cron", "proxy", "stream",
];

impl Layout {
    pub(crate) fn seed(id: ResourceId) -> u64 {
        mix((id.kind as u64) << 48 | id.number as u64)
    }

    pub(crate) fn uid(&self, id: ResourceId) -> String {
        let (seed, name, account_region) = (Self::seed(id), self.name(id), self.account_region(id));
        let (account, region) = (self.account(account_region), self.region(account_region));
        let (service, start) = KINDS[id.kind].arn;
        match id.kind {
            ROLE => uid::aws(service, "", &account, &format!("role/{name}")),
            BUCKET => uid::aws(service, "", "", &name),
            FUNCTION | DATABASE => uid::aws(service, region, &account, &format!("{start}{name}")),
            BALANCER => {
                let resource = format!("{start}{name}/{seed:016x}");
                uid::aws(service, region, &account, &resource)
            }
            KEY => {
                let (low, high) = (seed as u32, mix(seed) >> 16);
                let resource = format!("{start}{low:08x}-4f1e-4c3b-9d2a-{high:012x}");
                uid::aws(service, region, &account, &resource)
            }
            RECORD => {
                let zone = mix(id.number as u64 % 64);
                format!("arn:aws:route53:::{start}{zone:016X}/recordset/{name}.example.com/A")
            }
            POD => {
                let (low, high) = (seed as u32, mix(seed) >> 16);
                let own = format!("{low:08x}-7b1d-4e2f-8a6c-{high:012x}");
                uid::kubernetes(&format!("eks-{region}-{account}"), "", "pod", &own)
            }
            SERVICE => uid::service("prod", APPS[id.number % APPS.len()], &name),
            _ => uid::aws(service, region, &account, &format!("{start}{seed:016x}")),
        }
    }

    /// `checkout-worker-1f3a`; unique within the kind.
    pub(crate) fn name(&self, id: ResourceId) -> String {
        let seed = Self::seed(id);
        let app = APPS[seed as usize % APPS.len()];
        let part = PARTS[(seed >> 16) as usize % PARTS.len()];
        format!("{app}-{part}-{:04x}", id.number)
    }

    /// The private address, unique within its network.
    pub(crate) fn private_ip(&self, id: ResourceId) -> String {
        let [_, high, middle, low] = (id.number as u32).to_be_bytes();
        format!("10.{high}.{middle}.{low}")
    }

    /// The host name of a database or load balancer.
    pub(crate) fn host(&self, id: ResourceId) -> String {
        let (service, region) = (KINDS[id.kind].arn.0, self.region(self.account_region(id)));
        format!(
            "{}.c9akciq32.{region}.{service}.amazonaws.com",
            self.name(id)
        )
    }

    /// The last part of the uid: `i-0f3a…`.
    pub(crate) fn short_id(&self, id: ResourceId) -> String {
        let uid = self.uid(id);
        uid.rsplit(['/', ':']).next().unwrap_or_default().to_owned()
    }
}

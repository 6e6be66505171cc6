//! Who the user of a requestor is, where that is asked for (PS3.7 §D.3.3.7).

use std::sync::Arc;

use dimse::{RejectionReason, UserIdentity};
use domain::{Identities, IdentityClaim, IdentityDemand, IdentityFault};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

/// Checks of identities at a time. Each may cost a tenth of a second and some megabytes, and everybody can ask for one.
const CHECKS_MAX: usize = 2;

/// Checks claims off the network's threads.
pub(crate) struct Identifying {
    identities: Option<Arc<dyn Identities>>,
    places: Arc<Semaphore>,
}

/// A user whose identity was verified.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Identified {
    /// None where nobody asked.
    pub(crate) user: Option<String>,
    /// What the requestor is told, where it asked.
    pub(crate) response: Option<Vec<u8>>,
}

impl Identifying {
    pub(crate) fn new(identities: Option<Arc<dyn Identities>>) -> Self {
        Self { identities, places: Arc::new(Semaphore::new(CHECKS_MAX)) }
    }

    /// The user; `None` where nobody asks for one: a claim is then not looked at, and gets no response. What is not checked by
    /// `until` is said to be unchecked.
    pub(crate) async fn user(
        &self,
        identity: Option<&UserIdentity>,
        demand: &IdentityDemand,
        until: Instant,
    ) -> Result<Option<Identified>, RejectionReason> {
        if demand.kinds.is_empty() {
            return Ok(None);
        }
        let checked = match identity {
            None => Err(IdentityFault::Refused("no user identity was given".into())),
            Some(identity) => timeout_at(until, self.check(identity, demand))
                .await
                .unwrap_or_else(|_| Err(unavailable("too many are checked at a time"))),
        };
        checked.map(Some).map_err(|fault| {
            tracing::warn!(reason = %fault, "user identity not accepted");
            match fault {
                IdentityFault::Refused(_) => RejectionReason::UserIdentityRefused,
                IdentityFault::Unavailable(_) => RejectionReason::UserIdentityUnchecked,
            }
        })
    }

    async fn check(
        &self,
        identity: &UserIdentity,
        demand: &IdentityDemand,
    ) -> Result<Identified, IdentityFault> {
        let UserIdentity { claim, wants_response } = identity;
        let refused = |text: String| Err(IdentityFault::Refused(text));
        if !claim.kind().is_some_and(|kind| demand.kinds.contains(&kind)) {
            return refused(format!("{} is not accepted here", claim.name()));
        }
        let user = self.verify(claim.clone()).await?;
        if !demand.users.is_empty() && !demand.users.contains(&user) {
            return refused(format!("user {user:?} is not welcome here"));
        }
        Ok(Identified { user: Some(user), response: wants_response.then(|| response(claim)) })
    }

    async fn verify(&self, claim: IdentityClaim) -> Result<String, IdentityFault> {
        let Some(identities) = self.identities.clone() else {
            return Err(unavailable("nothing is configured to check it"));
        };
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|_| unavailable("the node stops"))?;
        // A check goes on when nobody waits for it any more, and keeps its place until it ends.
        let checking = tokio::task::spawn_blocking(move || {
            let _place = place;
            identities.check(&claim)
        });
        checking.await.unwrap_or_else(|_| Err(unavailable("the check failed by a bug")))
    }
}

fn unavailable(text: &str) -> IdentityFault {
    IdentityFault::Unavailable(text.into())
}

/// Server-response: empty for names and passcodes, the token for a token (PS3.7 Table D.3-15).
fn response(claim: &IdentityClaim) -> Vec<u8> {
    match claim {
        IdentityClaim::Token(token) => token.expose().to_vec(),
        IdentityClaim::Username(_)
        | IdentityClaim::Passcode { .. }
        | IdentityClaim::Kerberos
        | IdentityClaim::Saml
        | IdentityClaim::Unknown(_) => vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Mutex, mpsc};
    use std::time::Duration;

    use domain::{IdentityKind, Secret};

    /// Knows one user with one passcode.
    #[derive(Debug)]
    struct One;

    impl Identities for One {
        fn check(&self, claim: &IdentityClaim) -> Result<String, IdentityFault> {
            match claim {
                IdentityClaim::Username(name) => Ok(name.clone()),
                IdentityClaim::Passcode { username, passcode } if passcode.expose() == b"x" => {
                    Ok(username.clone())
                }
                IdentityClaim::Token(_) => Err(IdentityFault::Unavailable("no key".into())),
                IdentityClaim::Passcode { .. }
                | IdentityClaim::Kerberos
                | IdentityClaim::Saml
                | IdentityClaim::Unknown(_) => Err(IdentityFault::Refused("wrong".into())),
            }
        }
    }

    fn passcode(text: &str) -> IdentityClaim {
        let passcode = Secret::new(text.as_bytes().to_vec());
        IdentityClaim::Passcode { username: "ct1".into(), passcode }
    }

    async fn verdict(
        claim: Option<IdentityClaim>,
        kinds: &[IdentityKind],
        users: &[&str],
    ) -> Result<Option<Identified>, RejectionReason> {
        let identity = claim.map(|claim| UserIdentity { claim, wants_response: true });
        let users = users.iter().map(|&user| user.to_owned()).collect();
        let demand = IdentityDemand { kinds: kinds.to_vec(), users };
        let until = Instant::now() + Duration::from_secs(60);
        Identifying::new(Some(Arc::new(One))).user(identity.as_ref(), &demand, until).await
    }

    /// Never knows, until it is let go.
    #[derive(Debug)]
    struct Thinks(Mutex<mpsc::Receiver<()>>);

    impl Identities for Thinks {
        fn check(&self, _: &IdentityClaim) -> Result<String, IdentityFault> {
            let is_let_go = self.0.lock().unwrap().recv().is_err();
            if is_let_go { Ok("ct1".into()) } else { Err(unavailable("a word")) }
        }
    }

    #[tokio::test]
    async fn who_waits_too_long_for_a_check_is_told_so_and_checks_stay_few() {
        let (let_go, thinks) = mpsc::channel();
        let identifying = Identifying::new(Some(Arc::new(Thinks(Mutex::new(thinks)))));
        let identity = UserIdentity { claim: passcode("x"), wants_response: false };
        let demand = IdentityDemand { kinds: vec![IdentityKind::Passcode], users: vec![] };
        let ask = || {
            let until = Instant::now() + Duration::from_millis(20);
            identifying.user(Some(&identity), &demand, until)
        };
        let unchecked = Err(RejectionReason::UserIdentityUnchecked);
        for _ in 0..2 * CHECKS_MAX {
            assert_eq!(ask().await, unchecked);
        }
        assert_eq!(identifying.places.available_permits(), 0, "checks that nobody waits for");
        drop(let_go);
        drop(identifying.places.acquire_many(2).await);
        assert!(matches!(ask().await, Ok(Some(_))));
    }

    #[tokio::test]
    async fn who_is_let_in() {
        let refused = Err(RejectionReason::UserIdentityRefused);
        let kinds = [IdentityKind::Passcode, IdentityKind::Token];
        assert_eq!(verdict(None, &[], &[]).await, Ok(None));
        assert_eq!(verdict(Some(passcode("wrong")), &[], &[]).await, Ok(None), "not looked at");
        assert_eq!(verdict(None, &kinds, &[]).await, refused);
        let good = Some(Identified { user: Some("ct1".into()), response: Some(vec![]) });
        assert_eq!(verdict(Some(passcode("x")), &kinds, &[]).await, Ok(good));
        assert_eq!(verdict(Some(passcode("y")), &kinds, &[]).await, refused);
        assert_eq!(verdict(Some(passcode("x")), &kinds, &["ct2"]).await, refused);
        let name = || Some(IdentityClaim::Username("ct1".into()));
        assert_eq!(verdict(name(), &kinds, &[]).await, refused, "a name alone");
        assert!(verdict(name(), &[IdentityKind::Username], &["ct1"]).await.is_ok());
        assert_eq!(verdict(Some(IdentityClaim::Saml), &kinds, &[]).await, refused);
        assert_eq!(verdict(Some(IdentityClaim::Kerberos), &kinds, &[]).await, refused);
        let token = Some(IdentityClaim::Token(Secret::new(vec![])));
        assert_eq!(verdict(token, &kinds, &[]).await, Err(RejectionReason::UserIdentityUnchecked));
    }
}

//! The server's side of the two-step password (SRP).

use grammers_tl_types::{enums, types};
use num_bigint::BigUint;
use sha2_next::{Digest, Sha256, Sha512};

/// The prime that Telegram uses, as its documentation of the key exchange gives it.
const PRIME: &str = concat!(
    "c71caeb9c6b1c9048e6c522f70f13f73980d40238e3e21c14934d037563d930f",
    "48198a0aa7c14058229493d22530f4dbfa336f6e0ac925139543aed44cce7c37",
    "20fd51f69458705ac68cd4fe6b6b13abdc9746512969328454f18faf8c595f64",
    "2477fe96bb2a941d5bcd1d4ac8cc49880708fa9b378e3c4f3a9060bee67cf9a4",
    "a4a695811051907e162753b56b0f6b410dba74d8a84b2a14b3144e0ef1284754",
    "fd17ed950d5965b4b9dd46582db1178d169c6bc465b0d6ff9ca3928fef5b9ae4",
    "e418fc15e83ebea0f87fa9ff5eed70050ded2849f47bf959d956850ce929851f",
    "0d8115f635b105ee2e4e15d04b2454bf6f4fadf034b10403119cd8e3b92fcc5b",
);
const GENERATOR: u32 = 3;
const SALT_1: &[u8] = b"first salt of 1!";
const SALT_2: &[u8] = b"second salt of 2";

/// One attempt to prove a password.
pub(super) struct Exchange {
    verifier: BigUint,
    secret: BigUint,
    public: BigUint,
}

fn hash(parts: &[&[u8]]) -> Vec<u8> {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part);
    }
    digest.finalize().to_vec()
}

fn prime() -> BigUint {
    BigUint::parse_bytes(PRIME.as_bytes(), 16).unwrap_or_default()
}

fn padded(number: &BigUint) -> Vec<u8> {
    let bytes = number.to_bytes_be();
    let mut out = vec![0; 256usize.saturating_sub(bytes.len())];
    out.extend(bytes);
    out
}

fn multiplier() -> BigUint {
    BigUint::from_bytes_be(&hash(&[&padded(&prime()), &padded(&BigUint::from(GENERATOR))]))
}

fn exponent(password: &str) -> BigUint {
    let inner = hash(&[SALT_1, password.as_bytes(), SALT_1]);
    let first = hash(&[SALT_2, &inner, SALT_2]);
    let mut slow = [0_u8; 64];
    pbkdf2::pbkdf2_hmac::<Sha512>(&first, SALT_1, 100_000, &mut slow);
    BigUint::from_bytes_be(&hash(&[SALT_2, &slow, SALT_2]))
}

impl Exchange {
    /// Begins one.
    pub fn begin(password: &str) -> Self {
        let prime = prime();
        let verifier = BigUint::from(GENERATOR).modpow(&exponent(password), &prime);
        let secret = BigUint::from_bytes_be(&hash(&[
            b"the fixed secret of a test server",
            password.as_bytes(),
        ]));
        let public = (multiplier() * &verifier + BigUint::from(GENERATOR).modpow(&secret, &prime)) % &prime;
        Self {
            verifier,
            secret,
            public,
        }
    }

    /// What the client is told.
    pub fn offer(&self, hint: Option<String>) -> types::account::Password {
        let algorithm = types::PasswordKdfAlgoSha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow {
            salt1: SALT_1.to_vec(),
            salt2: SALT_2.to_vec(),
            g: GENERATOR as i32,
            p: padded(&prime()),
        };
        types::account::Password {
            has_recovery: false,
            has_secure_values: false,
            has_password: true,
            current_algo: Some(algorithm.clone().into()),
            srp_b: Some(padded(&self.public)),
            srp_id: Some(1),
            hint,
            email_unconfirmed_pattern: None,
            new_algo: algorithm.into(),
            new_secure_algo: enums::SecurePasswordKdfAlgo::Unknown,
            secure_random: vec![7; 256],
            pending_reset_date: None,
            login_email_pattern: None,
        }
    }

    /// Whether the client knows the password.
    pub fn verify(&self, client: &[u8], proof: &[u8]) -> bool {
        let prime = prime();
        let a = BigUint::from_bytes_be(client);
        let (a_bytes, b_bytes) = (padded(&a), padded(&self.public));
        let u = BigUint::from_bytes_be(&hash(&[&a_bytes, &b_bytes]));
        let shared = (a * self.verifier.modpow(&u, &prime)).modpow(&self.secret, &prime);
        let key = hash(&[&padded(&shared)]);
        let of_prime = hash(&[&padded(&prime)]);
        let of_generator = hash(&[&padded(&BigUint::from(GENERATOR))]);
        let mixed: Vec<u8> = of_prime.iter().zip(&of_generator).map(|(a, b)| a ^ b).collect();
        let expected = hash(&[
            &mixed,
            &hash(&[SALT_1]),
            &hash(&[SALT_2]),
            &a_bytes,
            &b_bytes,
            &key,
        ]);
        expected == proof
    }
}

// Our hybrid suite for ts-mls: X-Wing with SHA-384, and DeriveKeyPair as draft-ietf-hpke-pq says.
// ts-mls derives X-Wing keys as SHAKE256(ikm); the draft labels the input (LabeledDerive).

import { shake256 } from "@noble/hashes/sha3.js";
import { ciphersuites, getCiphersuiteImpl } from "ts-mls";

const NAME = "SKVOZ_256_XWING_AES256GCM_SHA384_Ed25519";
const KEM_ID = 0x647a;
const SEED_SIZE = 32;

const text = (value) => new TextEncoder().encode(value);
const uint16 = (value) => Uint8Array.of(value >> 8, value & 0xff);

/** LabeledDerive of draft-ietf-hpke-hpke over SHAKE256, for this KEM's DeriveKeyPair. */
function seedOf(ikm) {
  const label = text("DeriveKeyPair");
  const parts = [ikm, text("HPKE-v1"), text("KEM"), uint16(KEM_ID), uint16(label.length), label, uint16(SEED_SIZE)];
  const hash = shake256.create({ dkLen: SEED_SIZE });
  for (const part of parts) hash.update(part);
  return hash.digest();
}

export async function hybridSuite() {
  ciphersuites[NAME] = 0xf0a2;
  const suite = await getCiphersuiteImpl({
    name: NAME,
    hash: "SHA-384",
    hpke: { kem: "X-Wing", kdf: "HKDF-SHA384", aead: "AES256GCM" },
    signature: "Ed25519",
  });
  const { XWing } = await import("@hpke/hybridkem-x-wing");
  const kem = new XWing();
  const deriveKeyPair = async (ikm) => kem.generateKeyPairDerand(seedOf(ikm));
  return { ...suite, hpke: { ...suite.hpke, deriveKeyPair } };
}

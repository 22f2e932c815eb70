// ts-mls's cipher suites, mended in three places where it strays from the standards:
// - Its ECDSA public keys are compressed points; RFC 9420 §5.1.1 has uncompressed ones.
// - It derives X-Wing keys as SHAKE256(ikm); draft-ietf-hpke-pq labels the input (LabeledDerive).
// - Its external_pub extension is the bare key; RFC 9420 §12.4.3.2 has an opaque<V> around every HPKEPublicKey.

import { p256, p384, p521 } from "@noble/curves/nist.js";
import { shake256 } from "@noble/hashes/sha3.js";
import { ciphersuites, getCiphersuiteFromName, getCiphersuiteImpl } from "ts-mls";

const HYBRID = { name: "SKVOZ_256_XWING_AES256GCM_SHA384_Ed25519", number: 0xf0a2 };
const XWING = { kemId: 0x647a, seedSize: 32 };
const CURVES = { P256: p256, P384: p384, P521: p521 };

const text = (value) => new TextEncoder().encode(value);
const uint16 = (value) => Uint8Array.of(value >> 8, value & 0xff);

/** LabeledDerive of draft-ietf-hpke-hpke over SHAKE256, for X-Wing's DeriveKeyPair. */
function seedOf(ikm) {
  const { kemId, seedSize } = XWING;
  const label = text("DeriveKeyPair");
  const parts = [ikm, text("HPKE-v1"), text("KEM"), uint16(kemId), uint16(label.length), label, uint16(seedSize)];
  const hash = shake256.create({ dkLen: seedSize });
  for (const part of parts) hash.update(part);
  return hash.digest();
}

async function hybridSuite() {
  ciphersuites[HYBRID.name] = HYBRID.number;
  const suite = await getCiphersuiteImpl({
    name: HYBRID.name,
    hash: "SHA-384",
    hpke: { kem: "X-Wing", kdf: "HKDF-SHA384", aead: "AES256GCM" },
    signature: "Ed25519",
  });
  const { XWing } = await import("@hpke/hybridkem-x-wing");
  const kem = new XWing();
  const deriveKeyPair = async (ikm) => kem.generateKeyPairDerand(seedOf(ikm));
  return { ...suite, hpke: { ...suite.hpke, deriveKeyPair } };
}

function uncompressedKeys(curve) {
  return async () => {
    const signKey = curve.utils.randomSecretKey();
    return { signKey, publicKey: curve.getPublicKey(signKey, false) };
  };
}

/** The implementation of a suite by its MLS number. */
export async function suiteOf(number) {
  if (number === HYBRID.number) return hybridSuite();
  const name = Object.keys(ciphersuites).find((key) => ciphersuites[key] === number);
  const described = getCiphersuiteFromName(name);
  const suite = await getCiphersuiteImpl(described);
  const curve = CURVES[described.signature];
  if (curve === undefined) return suite;
  return { ...suite, signature: { ...suite.signature, keygen: uncompressedKeys(curve) } };
}

/** The suite as it must be while a GroupInfo with an external_pub extension is made. */
export function inviting(suite) {
  const exportPublicKey = async (key) => {
    const bare = await suite.hpke.exportPublicKey(key);
    const prefix = bare.length < 0x40 ? [bare.length] : uint16(0x4000 | bare.length);
    return Uint8Array.from([...prefix, ...bare]);
  };
  return { ...suite, hpke: { ...suite.hpke, exportPublicKey } };
}

/** The suite as it must be while joining by this GroupInfo. */
export function joining(suite, groupInfo) {
  const found = groupInfo.extensions.find((extension) => extension.extensionType === "external_pub");
  const prefixSize = found.extensionData[0] < 0x40 ? 1 : 2;
  const importPublicKey = (key) => {
    return suite.hpke.importPublicKey(key === found.extensionData ? key.slice(prefixSize) : key);
  };
  return { ...suite, hpke: { ...suite.hpke, importPublicKey } };
}

// ts-mls as a JSON-lines peer on stdin and stdout, with the operations of mls_peer.py.

import { createInterface } from "node:readline";
import {
  acceptAll,
  createApplicationMessage,
  createCommit,
  createGroup,
  createGroupInfoWithExternalPubAndRatchetTree,
  decodeMlsMessage,
  defaultCapabilities,
  defaultLifetime,
  emptyPskIndex,
  encodeMlsMessage,
  generateKeyPackage,
  joinGroup,
  joinGroupExternal,
  mlsExporter,
  processMessage,
} from "ts-mls";
import { inviting, joining, suiteOf } from "./suites.js";

const VERSION = "mls10";
const hex = (bytes) => Buffer.from(bytes).toString("hex");
const bytes = (value) => Uint8Array.from(Buffer.from(value ?? "", "hex"));
const framed = (wireformat, fields) => hex(encodeMlsMessage({ version: VERSION, wireformat, ...fields }));

let suite;
let name;
let state;
let ownPackage;

function parsed(value, wireformat) {
  const decoded = decodeMlsMessage(bytes(value), 0);
  if (decoded === undefined) throw new Error("not an MLSMessage");
  if (wireformat !== undefined && decoded[0].wireformat !== wireformat) throw new Error(`not a ${wireformat}`);
  return decoded[0];
}

async function makeKeyPackage() {
  const credential = { credentialType: "basic", identity: new TextEncoder().encode(name) };
  const extended = { ...defaultCapabilities(), credentials: ["basic"] };
  return generateKeyPackage(credential, extended, defaultLifetime, [], suite);
}

async function commit(extraProposals) {
  const made = await createCommit({ state, cipherSuite: suite }, { extraProposals, ratchetTreeExtension: true });
  state = made.newState;
  const answer = { commit: hex(encodeMlsMessage(made.commit)), epoch: epoch() };
  if (made.welcome) answer.welcome = framed("mls_welcome", { welcome: made.welcome });
  return answer;
}

const epoch = () => Number(state.groupContext.epoch);

const operations = {
  async init(request) {
    name = request.name;
    suite = await suiteOf(request.suite);
    return {};
  },
  async key_package() {
    ownPackage = await makeKeyPackage();
    return { key_package: framed("mls_key_package", { keyPackage: ownPackage.publicPackage }) };
  },
  async create(request) {
    const own = await makeKeyPackage();
    state = await createGroup(bytes(request.group_id), own.publicPackage, own.privatePackage, [], suite);
    return { epoch: epoch() };
  },
  async add(request) {
    const packages = request.key_packages.map((value) => parsed(value, "mls_key_package").keyPackage);
    return commit(packages.map((keyPackage) => ({ proposalType: "add", add: { keyPackage } })));
  },
  async remove(request) {
    return commit([{ proposalType: "remove", remove: { removed: request.leaf } }]);
  },
  async update() {
    return commit([]);
  },
  async join(request) {
    const { welcome } = parsed(request.welcome, "mls_welcome");
    const { publicPackage, privatePackage } = ownPackage;
    state = await joinGroup(welcome, publicPackage, privatePackage, emptyPskIndex, suite);
    return { epoch: epoch() };
  },
  async encrypt(request) {
    const made = await createApplicationMessage(state, bytes(request.data), suite, bytes(request.aad));
    state = made.newState;
    return { message: framed("mls_private_message", { privateMessage: made.privateMessage }) };
  },
  async process(request) {
    const result = await processMessage(parsed(request.message), state, emptyPskIndex, acceptAll, suite);
    state = result.newState;
    return result.kind === "applicationMessage" ? { data: hex(result.message) } : { epoch: epoch() };
  },
  async epoch_authenticator() {
    return { value: hex(state.keySchedule.epochAuthenticator), tree_hash: hex(state.groupContext.treeHash) };
  },
  async group_info() {
    const groupInfo = await createGroupInfoWithExternalPubAndRatchetTree(state, [], inviting(suite));
    return { group_info: framed("mls_group_info", { groupInfo }) };
  },
  async external_join(request) {
    const { groupInfo } = parsed(request.group_info, "mls_group_info");
    const { publicPackage, privatePackage } = await makeKeyPackage();
    const made = await joinGroupExternal(groupInfo, publicPackage, privatePackage, false, joining(suite, groupInfo));
    state = made.newState;
    return { commit: framed("mls_public_message", { publicMessage: made.publicMessage }), epoch: epoch() };
  },
  async export(request) {
    const { exporterSecret } = state.keySchedule;
    const value = await mlsExporter(exporterSecret, request.label, bytes(request.context), request.length, suite);
    return { value: hex(value) };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let answer;
  try {
    answer = { id: request.id, ok: true, ...(await operations[request.op](request)) };
  } catch (error) {
    answer = { id: request.id, ok: false, error: `${error.name}: ${error.message}` };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

/* A softphone for the carrier simulator, with the face of `Device` and `Call` of @twilio/voice-sdk 2.x.

   No sound passes: the simulator plays the far end. Requests go up by POST, events come down as a
   server-sent stream; `options.url` says where the simulator is. Muting happens here and nowhere else. */

import { Call, Emitter, TwilioError, errorOf } from "./softphone_simulator_call.js";

const DEFAULT_URL = "http://127.0.0.1:4010";
const TOKEN_REFRESH_MS = 10000;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 10000;
const LONGEST_TIMEOUT_MS = 2147483647;

/** The telephone of one identity. */
export class Device extends Emitter {
  static State = Object.freeze({
    Destroyed: "destroyed",
    Unregistered: "unregistered",
    Registering: "registering",
    Registered: "registered",
  });
  static EventName = Object.freeze({
    Error: "error",
    Incoming: "incoming",
    Destroyed: "destroyed",
    Unregistered: "unregistered",
    Registering: "registering",
    Registered: "registered",
    TokenWillExpire: "tokenWillExpire",
  });
  static isSupported = true;
  static packageName = "softphone-simulator";
  static version = "2";

  #token;
  #options;
  #state = Device.State.Unregistered;
  #session = null;
  #opening = null;
  #stream = null;
  #calls = new Map();
  #early = null;
  #wanted = false;
  #retryMs = FIRST_RETRY_MS;
  #timers = { expiry: null, retry: null };
  #leave = () => this.destroy();

  constructor(token, options = {}) {
    super();
    this.#token = token;
    this.#options = { tokenRefreshMs: TOKEN_REFRESH_MS, ...options };
    window.addEventListener("pagehide", this.#leave);
  }

  get state() {
    return this.#state;
  }

  get token() {
    return this.#token;
  }

  get identity() {
    return this.#session?.identity ?? null;
  }

  get edge() {
    return this.#session?.edge ?? null;
  }

  get home() {
    return null;
  }

  get audio() {
    return null;
  }

  get calls() {
    return [...this.#calls.values()].filter((call) => call.status() === Call.State.Pending);
  }

  get isBusy() {
    return [...this.#calls.values()].some((call) => call.status() !== Call.State.Pending);
  }

  async register() {
    if (this.#state !== Device.State.Unregistered) {
      throw new Error(`Attempt to register when device is in state "${this.#state}".`);
    }
    this.#wanted = true;
    await this.#register();
  }

  async unregister() {
    if (this.#state !== Device.State.Registered) {
      throw new Error(`Attempt to unregister when device is in state "${this.#state}".`);
    }
    this.#wanted = false;
    await this._post("unregister");
    this.#become(Device.State.Unregistered);
  }

  /** Call the application; resolves with the call as soon as the carrier has taken it. */
  async connect({ params = {} } = {}) {
    if (this.isBusy) throw new Error("A Call is already active");
    const session = await this.#open();
    this.#early = [];
    const answer = await this._post("calls", { params });
    if (!answer.ok) throw this.#report(await errorOf(answer));
    const { call_sid: sid } = await answer.json();
    const custom = new Map(Object.entries(params));
    const parameters = { CallSid: sid, From: `client:${session.identity}` };
    const call = new Call(this, Call.CallDirection.Outgoing, parameters, custom);
    // What was told of it meanwhile comes after the caller has had the chance to listen.
    setTimeout(() => {
      this.#calls.set(sid, call);
      call._ringing();
      for (const early of this.#early ?? []) if (early.sid === sid) early.tell(call);
      this.#early = null;
    }, 0);
    return call;
  }

  disconnectAll() {
    for (const call of [...this.#calls.values()]) call.disconnect();
  }

  /** A new token for the same identity, before the old one runs out or after. */
  updateToken(token) {
    if (this.#state === Device.State.Destroyed) throw new Error("Attempt to use a destroyed device");
    this.#token = token;
    if (this.#session === null) return;
    this.#request("token", { token }, "PUT")
      .then(async (answer) => {
        if (answer.ok) this.#watchExpiry((await answer.json()).expires_at);
        else this.#report(await errorOf(answer));
      })
      .catch((error) => this.#report(new TwilioError(31005, "The simulator does not answer", error)));
  }

  updateOptions(options = {}) {
    this.#options = { ...this.#options, ...options };
  }

  destroy() {
    if (this.#state === Device.State.Destroyed) return;
    this.#wanted = false;
    this.disconnectAll();
    if (this.#session) navigator.sendBeacon(this.#address("close"));
    this.#drop();
    window.removeEventListener("pagehide", this.#leave);
    this.#become(Device.State.Destroyed);
    this.removeAllListeners();
  }

  toString() {
    return "[Twilio.Device instance]";
  }

  _post(path, body = {}) {
    return this.#request(path, body, "POST");
  }

  _failed(error, call) {
    this.emit("error", error, call);
  }

  _forget(call) {
    this.#calls.delete(call.parameters.CallSid);
  }

  async #register() {
    this.#become(Device.State.Registering);
    try {
      await this.#open();
      const answer = await this._post("register");
      if (!answer.ok) throw await errorOf(answer);
      this.#retryMs = FIRST_RETRY_MS;
      this.#become(Device.State.Registered);
    } catch (error) {
      this.#become(Device.State.Unregistered);
      throw this.#report(error);
    }
  }

  /** The session, opened when there is none; two who ask at once share one. */
  #open() {
    if (this.#session) return Promise.resolve(this.#session);
    this.#opening ??= this.#openSession().finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  async #openSession() {
    if (this.#state === Device.State.Destroyed) throw new Error("Attempt to use a destroyed device");
    let answer;
    try {
      answer = await fetch(`${this.#base()}/_phone/sessions`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({
          token: this.#token,
          allowIncomingWhileBusy: this.#options.allowIncomingWhileBusy === true,
        }),
      });
    } catch (error) {
      throw new TwilioError(31005, "The simulator does not answer", error);
    }
    if (!answer.ok) throw await errorOf(answer);
    this.#session = await answer.json();
    await this.#listen();
    this.#watchExpiry(this.#session.expires_at);
    return this.#session;
  }

  /** Resolves when the stream is ready; from then on it reconnects by itself. */
  #listen() {
    const stream = new EventSource(this.#address("events"));
    this.#stream = stream;
    const on = (name, react) => stream.addEventListener(name, (event) => react(JSON.parse(event.data)));
    on("incoming", (facts) => this.#incoming(facts));
    on("accepted", (facts) => this.#tell(facts, (call) => call._accepted()));
    on("canceled", (facts) => this.#tell(facts, (call) => call._canceled()));
    on("ended", (facts) => this.#tell(facts, (call) => call._ended()));
    on("warning", (facts) => this.#tell(facts, (call) => call._warned(facts.name)));
    on("expired", (facts) => this.#expired(facts));
    stream.addEventListener("error", () => this.#broken(stream));
    return new Promise((resolve, reject) => {
      on("ready", () => {
        for (const call of this.#calls.values()) call._found();
        resolve();
      });
      stream.addEventListener("error", () => {
        if (stream.readyState === EventSource.CLOSED) reject(new TwilioError(31005, "The stream was refused"));
      });
    });
  }

  #broken(stream) {
    if (stream !== this.#stream) return;
    for (const call of this.#calls.values()) call._lost();
    if (stream.readyState !== EventSource.CLOSED) return;
    // The simulator does not know the session any more: it was away for too long, or started anew.
    const calls = [...this.#calls.values()];
    this.#drop();
    const error = new TwilioError(31005, "The connection to the simulator is gone");
    for (const call of calls) call._ended(error);
    if (this.#state !== Device.State.Destroyed) {
      this.#become(Device.State.Unregistered);
      this.#report(error);
      this.#comeBack();
    }
  }

  #comeBack() {
    if (!this.#wanted || this.#timers.retry !== null) return;
    this.#timers.retry = setTimeout(() => {
      this.#timers.retry = null;
      if (this.#wanted && this.#state === Device.State.Unregistered) {
        this.#register().catch(() => this.#comeBack());
      }
    }, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
  }

  #incoming(facts) {
    if (this.#calls.has(facts.call_sid)) return;
    const parameters = {
      CallSid: facts.call_sid,
      AccountSid: facts.account_sid,
      From: facts.from,
      To: facts.to,
    };
    const custom = new Map(Object.entries(facts.params));
    const call = new Call(this, Call.CallDirection.Incoming, parameters, custom);
    this.#calls.set(facts.call_sid, call);
    this.emit("incoming", call);
  }

  /** To the call it is about; an outgoing one may not be known here yet. */
  #tell(facts, tell) {
    const call = this.#calls.get(facts.call_sid);
    if (call) tell(call);
    else this.#early?.push({ sid: facts.call_sid, tell });
  }

  #expired(facts) {
    this.#wanted = false;
    this.#become(Device.State.Unregistered);
    this.#report(new TwilioError(facts.code, facts.message));
  }

  #watchExpiry(expiresAt) {
    clearTimeout(this.#timers.expiry);
    const left = expiresAt * 1000 - Date.now() - this.#options.tokenRefreshMs;
    this.#timers.expiry = setTimeout(
      () => this.emit("tokenWillExpire", this),
      Math.min(Math.max(0, left), LONGEST_TIMEOUT_MS),
    );
  }

  #drop() {
    clearTimeout(this.#timers.expiry);
    clearTimeout(this.#timers.retry);
    this.#timers.retry = null;
    this.#stream?.close();
    this.#stream = null;
    this.#session = null;
    this.#calls.clear();
    this.#early = null;
  }

  #become(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.emit(state, this);
  }

  #report(error) {
    if (error instanceof TwilioError) this.emit("error", error);
    return error;
  }

  #base() {
    return (this.#options.url ?? DEFAULT_URL).replace(/\/$/, "");
  }

  #address(path) {
    return `${this.#base()}/_phone/sessions/${this.#session.session}/${path}`;
  }

  async #request(path, body, method) {
    if (this.#session === null) throw new TwilioError(31009, "There is no connection to the simulator");
    return fetch(this.#address(path), {
      method,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      keepalive: true,
    });
  }
}

export { Call, TwilioError };
export default { Device, Call };

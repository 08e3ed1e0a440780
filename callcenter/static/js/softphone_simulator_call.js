/* Calls of the simulator's softphone: `Call` of @twilio/voice-sdk 2.x, its errors and its events. */

const DIGITS = /^[0-9*#w]+$/;

const NAMES = {
  20101: "AccessTokenInvalid",
  20104: "AccessTokenExpired",
  31000: "UnknownError",
  31003: "ConnectionTimeoutError",
  31005: "ConnectionError",
  31009: "TransportError",
  31100: "BadRequest",
  53405: "MediaConnectionError",
};

/** An error as the SDK reports it: `code` is what a program decides by. */
export class TwilioError extends Error {
  constructor(code, message, originalError) {
    super(`${NAMES[code] ?? "Error"} (${code}): ${message}`);
    this.name = NAMES[code] ?? "TwilioError";
    this.code = code;
    this.description = message;
    this.explanation = message;
    this.causes = [];
    this.solutions = [];
    this.originalError = originalError;
  }
}

/** As much of Node's event emitter as the SDK shows. */
export class Emitter {
  #listeners = new Map();

  on(name, listener) {
    if (!this.#listeners.has(name)) this.#listeners.set(name, []);
    this.#listeners.get(name).push({ listener, once: false });
    return this;
  }

  once(name, listener) {
    this.on(name, listener);
    this.#listeners.get(name).at(-1).once = true;
    return this;
  }

  off(name, listener) {
    const kept = (this.#listeners.get(name) ?? []).filter((each) => each.listener !== listener);
    this.#listeners.set(name, kept);
    return this;
  }

  addListener(name, listener) {
    return this.on(name, listener);
  }

  removeListener(name, listener) {
    return this.off(name, listener);
  }

  removeAllListeners(name) {
    if (name === undefined) this.#listeners.clear();
    else this.#listeners.delete(name);
    return this;
  }

  listenerCount(name) {
    return (this.#listeners.get(name) ?? []).length;
  }

  emit(name, ...facts) {
    const present = [...(this.#listeners.get(name) ?? [])];
    for (const each of present) {
      if (each.once) this.off(name, each.listener);
      each.listener(...facts);
    }
    return present.length > 0;
  }
}

/** One call, incoming or outgoing. Made by `Device` only. */
export class Call extends Emitter {
  static State = Object.freeze({
    Closed: "closed",
    Connecting: "connecting",
    Open: "open",
    Pending: "pending",
    Reconnecting: "reconnecting",
    Ringing: "ringing",
  });
  static CallDirection = Object.freeze({ Incoming: "INCOMING", Outgoing: "OUTGOING" });

  #device;
  #state;
  #muted = false;
  #direction;

  constructor(device, direction, parameters, customParameters) {
    super();
    this.#device = device;
    this.#direction = direction;
    this.parameters = parameters;
    this.customParameters = customParameters;
    this.callerInfo = null;
    this.#state = direction === Call.CallDirection.Incoming ? Call.State.Pending : Call.State.Connecting;
  }

  get direction() {
    return this.#direction;
  }

  get codec() {
    return "pcmu";
  }

  status() {
    return this.#state;
  }

  isMuted() {
    return this.#muted;
  }

  /** Only here: the other side is told nothing, as with the SDK. */
  mute(shouldMute = true) {
    if (this.#muted === shouldMute) return;
    this.#muted = shouldMute;
    this.emit("mute", shouldMute, this);
  }

  accept() {
    if (this.#state !== Call.State.Pending) return;
    this.#state = Call.State.Connecting;
    this.#send("accept").then((answer) => {
      if (answer && !answer.ok) this._canceled();
    });
  }

  reject() {
    if (this.#state !== Call.State.Pending) return;
    this.#close();
    this.#send("reject");
    this.emit("reject");
  }

  ignore() {
    if (this.#state !== Call.State.Pending) return;
    this.#close();
    this.#send("ignore");
    this.emit("cancel");
  }

  disconnect() {
    if (this.#state === Call.State.Closed || this.#state === Call.State.Pending) return;
    this.#close();
    this.#send("hangup");
    this.emit("disconnect", this);
  }

  sendDigits(digits) {
    if (!DIGITS.test(digits)) throw new TwilioError(31100, "Illegal character passed into sendDigits");
    this.#send("digits", { digits });
  }

  getLocalStream() {
    return undefined;
  }

  getRemoteStream() {
    return undefined;
  }

  toString() {
    return "[Twilio.Call instance]";
  }

  /* What the device passes on from the simulator. */

  _ringing() {
    if (this.#state !== Call.State.Connecting) return;
    this.#state = Call.State.Ringing;
    this.emit("ringing", false);
  }

  _accepted() {
    if (this.#state !== Call.State.Connecting && this.#state !== Call.State.Ringing) return;
    this.#state = Call.State.Open;
    this.emit("accept", this);
  }

  _canceled() {
    if (this.#state === Call.State.Closed) return;
    this.#close();
    this.emit("cancel");
  }

  _ended(error) {
    if (this.#state === Call.State.Closed) return;
    this.#close();
    if (error) this.#fail(error);
    this.emit("disconnect", this);
  }

  _warned(name) {
    this.emit("warning", name, {});
  }

  _lost() {
    if (this.#state !== Call.State.Open) return;
    this.#state = Call.State.Reconnecting;
    this.emit("reconnecting", new TwilioError(53405, "The connection to the simulator was lost"));
  }

  _found() {
    if (this.#state !== Call.State.Reconnecting) return;
    this.#state = Call.State.Open;
    this.emit("reconnected");
  }

  #fail(error) {
    this.emit("error", error);
    this.#device._failed(error, this);
  }

  #close() {
    this.#state = Call.State.Closed;
    this.#device._forget(this);
  }

  async #send(action, body = {}) {
    try {
      return await this.#device._post(`calls/${this.parameters.CallSid}/${action}`, body);
    } catch (error) {
      this.#fail(new TwilioError(31005, "The simulator does not answer", error));
      return null;
    }
  }
}

/** The error a refused request tells. */
export async function errorOf(answer) {
  const told = await answer.json().catch(() => ({}));
  return new TwilioError(told.code ?? 31000, told.message ?? `HTTP ${answer.status}`);
}

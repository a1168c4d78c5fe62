import { EventEmitter } from 'node:events';

/** Connects at once, says that it is ready, and does nothing: what is left is the pool itself. */
export class FakeClient extends EventEmitter {
  readyForQuery = true;
  _queryable = true;
  connection = { stream: { destroy: () => this.emit('end') } };

  connect(callback) {
    if (!callback) return Promise.resolve();
    process.nextTick(callback);
  }

  getTransactionStatus() {
    return 'I';
  }

  isConnected() {
    return true;
  }

  ref() {}

  unref() {}

  end(callback) {
    this.emit('end');
    if (!callback) return Promise.resolve();
    process.nextTick(callback);
  }
}

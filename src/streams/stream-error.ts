/** What a log or a broker refused, and whether trying again can help. */
import { ClinstreamError } from '../core/errors.ts';

export class StreamError extends ClinstreamError<
  | 'LOG_MISSING'
  | 'LOG_UNREADABLE'
  | 'LOG_VERSION'
  | 'LOG_BUSY'
  | 'LOG_FULL'
  | 'TOPIC_EXISTS'
  | 'TOPIC_UNKNOWN'
  | 'TOPIC_INVALID'
  | 'PARTITION_UNKNOWN'
  | 'GROUP_BUSY'
  | 'GROUP_FENCED'
  | 'COMMIT_OUT_OF_ORDER'
  | 'DRAIN_TIMEOUT'
  | 'CLOSED'
  | 'STOPPING'
  | 'OFFSET_OUT_OF_RANGE'
  | 'RECORD_TOO_LARGE'
  | 'COMPRESSION_UNSUPPORTED'
  | 'SETTING_REFUSED'
  | 'GROUP_FOREIGN'
  | 'TOPIC_DENIED'
  | 'GROUP_DENIED'
  | 'TRANSACTIONAL_ID_DENIED'
  | 'CLUSTER_DENIED'
  | 'AUTHENTICATION_FAILED'
  | 'BROKER_UNTRUSTED'
  | 'BROKER_UNREACHABLE'
  | 'BROKER_FAILED'
> {
  readonly stage = 'stream';
}

/** The delivery of every message of the engine, for threads that route messages of kinds they do not run. Any thread. */
import { connectorDelivery, connectorEventDelivery } from '../../actors/connector-messages.ts';
import { guardDelivery } from '../../actors/guard-messages.ts';
import { appendSlowDelivery, journalDelivery, journalReplyDelivery } from '../../actors/journal-messages.ts';
import { monitorDelivery } from '../../actors/monitor-messages.ts';
import { positionDelivery } from '../../actors/position-messages.ts';
import { strategyDelivery } from '../../actors/strategy-messages.ts';
import type { DeliveryTable, MessageShape } from '../runtime/actor.ts';

export const engineDelivery: readonly DeliveryTable<MessageShape>[] = [
  connectorDelivery,
  connectorEventDelivery,
  positionDelivery,
  guardDelivery,
  strategyDelivery,
  journalDelivery,
  journalReplyDelivery,
  appendSlowDelivery,
  monitorDelivery,
];

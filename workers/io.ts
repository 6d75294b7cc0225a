/** Entry of an io thread: connectors with their sockets. */
import { connector } from '../actors/connector.ts';
import { engineDelivery } from '../src/composition/delivery.ts';
import { connectorPortsFactory } from '../src/ports/live/connector-ports.ts';
import { hostActors } from '../src/runtime/actor-host.ts';

hostActors({ kinds: [connector], portsFor: connectorPortsFactory(), delivery: engineDelivery });

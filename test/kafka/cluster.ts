/**
 * A real Kafka cluster for tests, on loopback: every node broker and controller, every partition on all of them, so that with three
 * nodes any one may be lost. It ends, and its data with it, no later than this process.
 */
import { brokerPlan, newClusterId, type Properties } from './broker-plan.ts';
import { download } from './download.ts';
import { type GuardedService, startTogether } from './guarded.ts';

export interface Node extends GuardedService {
  /** As in the answers of brokers. */
  readonly id: number;
  /** host:port */
  readonly bootstrap: string;
}

export interface Cluster {
  /** host:port of every node, separated by commas. */
  readonly bootstrap: string;
  readonly nodes: readonly Node[];
  /** @throws Error when there is none of this id. */
  node(id: number): Node;
  /** Kills all nodes and removes their data. */
  dispose(): Promise<void>;
}

/**
 * Most of the nodes must run for one to become ready or to stop in peace: after the loss of more, start those at once, and kill.
 * @throws Error when it cannot be fetched or does not start.
 */
export async function startCluster(
  size: number,
  { properties }: { readonly properties?: Properties } = {},
): Promise<Cluster> {
  const { broker: classPath } = await download();
  const clusterId = newClusterId();
  const planners = Array.from({ length: size }, (_, index) => (folder: string, ports: readonly number[]) => {
    const member = { id: index + 1, clusterId, controllers: ports.slice(size) };
    return brokerPlan(classPath, folder, [ports[index] as number, ports[size + index] as number], {
      properties,
      member,
    });
  });
  const { services, ports } = await startTogether('kafka', 2 * size, planners);
  const nodes = services.map((service, i) => ({ ...service, id: i + 1, bootstrap: `127.0.0.1:${ports[i]}` }));
  return {
    bootstrap: nodes.map(each => each.bootstrap).join(','),
    nodes,
    node: id => {
      const found = nodes[id - 1];
      if (found === undefined) throw new Error(`there is no node ${id}`);
      return found;
    },
    dispose: async () => {
      await Promise.all(nodes.map(each => each.dispose()));
    },
  };
}

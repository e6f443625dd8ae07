/** Two links of one host that the kernel takes for one. */
import type { ImportedLink } from './found.ts';
import type { Report } from './report.ts';

/** The kernel refuses the second link with one VNI on one port: `A VXLAN device with the specified VNI already exists.` */
export function checkTwice(links: readonly ImportedLink[], report: Report): void {
  const seen = new Map<string, ImportedLink>();
  for (const link of links) {
    const port = link.attributes.port ?? 8472;
    const first = seen.get(`${link.vni} ${port}`);
    if (first === undefined) {
      seen.set(`${link.vni} ${port}`, link);
      continue;
    }
    const place = link.places.get('vni') ?? link.place;
    const { file, line } = first.places.get('vni') ?? first.place;
    const message = `${link.name} has the VNI ${link.vni} on port ${port}, as ${first.name} has: the kernel refuses the second`;
    report.add('source-accepted', place, message, `${first.name} has it on line ${line} of ${file}`);
  }
}

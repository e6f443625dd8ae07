/** Words for messages: what is meant. What was found and what is near is said in the words of text. */
import type { ValueType } from '../model/options.ts';
import { oneOf } from '../text/words.ts';

export { didYouMean, found, nearest, oneOf, quote } from '../text/words.ts';

/** What a type takes, for a sentence: `must be …`. */
export function expected(type: ValueType): string {
  switch (type.kind) {
    case 'integer': {
      const unit = type.unit === undefined ? '' : ` of ${type.unit}`;
      return `a whole number${unit} from ${type.min} to ${type.max}`;
    }
    case 'boolean':
      return 'true or false';
    case 'word':
      return oneOf(type.words);
    case 'words':
      return `a list of ${oneOf(type.words)}`;
    case 'range':
      return `[low, high] with whole numbers from ${type.min} to ${type.max}`;
    case 'link-name':
      return 'the name of a link';
    case 'link-names':
      return 'a list of names of links';
    case 'unicast-list':
      return 'a list of addresses';
    case 'multicast':
      return 'a multicast group';
    case 'host-macs':
      return 'a map from hosts to MAC addresses';
    case 'static-macs':
      return 'a map from MAC addresses to hosts or VTEPs';
    case 'routes':
      return 'a list of {to, via}';
    case 'any-of':
      return oneOf(type.types.flatMap(choices));
    default:
      return type satisfies never;
  }
}

/** The alternatives of one type, each fit to stand before an “or”. */
function choices(type: ValueType): readonly string[] {
  if (type.kind === 'boolean') return ['true', 'false'];
  return type.kind === 'word' ? type.words : [expected(type)];
}

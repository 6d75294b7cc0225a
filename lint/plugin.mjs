/** The house rules as an oxlint plugin; named in .oxlintrc.json. */
import { noAmbient, noAsync, noModuleState } from './ambient.mjs';
import { importDirection } from './import-direction.mjs';
import { outbound } from './outbound.mjs';

export default {
  meta: { name: 'tandem' },
  rules: {
    'no-ambient': noAmbient,
    'no-async': noAsync,
    'no-module-state': noModuleState,
    'import-direction': importDirection,
    outbound,
  },
};

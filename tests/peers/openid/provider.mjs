// A throw-away OpenID provider on loopback: the certified oidc-provider, told by the environment whom it serves.
//   MODULES  the folder of its packages       PORT  where it listens
//   CLIENT   its client, as JSON              PEOPLE  claims by login, as JSON
// POST /control/disable?login=alice makes somebody unknown to it, as a leaver is.
import { join } from 'node:path';

const { Provider } = await import(join(process.env.MODULES, 'oidc-provider', 'lib', 'index.js'));
const port = Number(process.env.PORT);
const issuer = `http://127.0.0.1:${port}`;
const people = new Map(Object.entries(JSON.parse(process.env.PEOPLE)));

const provider = new Provider(issuer, {
  clients: [JSON.parse(process.env.CLIENT)],
  claims: {
    openid: ['sub', 'sid', 'acr', 'amr'],
    email: ['email', 'email_verified'],
    profile: ['name', 'locale'],
    groups: ['groups'],
  },
  scopes: ['openid', 'offline_access', 'email', 'profile', 'groups'],
  features: {
    devInteractions: { enabled: true }, // pages that take any login and any password
    rpInitiatedLogout: { enabled: true },
    backchannelLogout: { enabled: true },
  },
  // It would refuse to call a client on this machine, and here there is no other.
  fetch: (url, { dispatcher: _, ...options }) => globalThis.fetch(url, options),
  pkce: { required: () => true },
  rotateRefreshToken: true,
  cookies: { keys: ['of no worth outside a test'] },
  ttl: { AccessToken: 300, AuthorizationCode: 60, Grant: 3600, IdToken: 300, Interaction: 600, RefreshToken: 3600, Session: 3600 },
  findAccount: (_, login) =>
    people.has(login) ? { accountId: login, claims: async () => ({ sub: login, ...people.get(login) }) } : undefined,
});

provider.use(async (context, next) => {
  if (context.path === '/control/disable') {
    context.body = String(people.delete(context.query.login));
    return;
  }
  await next();
});
provider.on('server_error', (_, error) => console.error(error));
provider.on('backchannel.error', (_, error) => console.error('backchannel', error));
provider.listen(port, '127.0.0.1', () => console.log('listens'));

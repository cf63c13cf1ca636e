// A certified OpenID provider (npm oidc-provider) that takes assertions signed with PS256, over TLS:
// what the engine sends is judged by somebody else. For tests/stages/43-oauth.sh.
// node server.mjs FOLDER: reads server.pem, server.key and client.pem there; prints its port.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { createRequire } from 'node:module';

const [folder, modules] = process.argv.slice(2);
const require = createRequire(`${modules}/node_modules/`);
const { default: Provider } = await import(require.resolve('oidc-provider'));
const scope = 'https://api.manage.microsoft.com//.default';

const certificate = new X509Certificate(readFileSync(`${folder}/client.pem`));
const key = certificate.publicKey.export({ format: 'jwk' });
key['x5t#S256'] = createHash('sha256').update(certificate.raw).digest('base64url');
key.alg = 'PS256';
key.use = 'sig';
const own = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });

const server = createServer({
  cert: readFileSync(`${folder}/server.pem`),
  key: readFileSync(`${folder}/server.key`),
  minVersion: 'TLSv1.2',
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  const headers = [];
  const provider = new Provider(`https://localhost:${port}`, {
    jwks: { keys: [own] },
    routes: { token: '/tenant/oauth2/v2.0/token' },
    scopes: [scope, 'https://graph.microsoft.com/.default'], // the latter for nobody
    features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
    clientAuthMethods: ['private_key_jwt', 'client_secret_post'],
    enabledJWA: { clientAuthSigningAlgValues: ['PS256'] },
    ttl: { ClientCredentials: 3599 },
    clients: [
      {
        client_id: 'by-certificate', grant_types: ['client_credentials'], redirect_uris: [],
        response_types: [], scope, token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'PS256', jwks: { keys: [key] },
      },
      {
        client_id: 'by-secret', client_secret: process.env.OIDC_CLIENT_SECRET,
        grant_types: ['client_credentials'], redirect_uris: [], response_types: [], scope,
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    assertJwtClientAuthClaimsAndHeader(ctx, claims, header) {
      const life = claims.exp - claims.iat;
      if (header.typ !== 'JWT' || header['x5t#S256'] !== key['x5t#S256'] || life > 600) {
        throw new Error('not the header or the life that Microsoft documents');
      }
    },
  });
  provider.on('server_error', (ctx, error) => console.error(error.message));
  server.on('request', (request, answer) => {
    headers.push(request.headers['client-request-id']);
    provider.callback()(request, answer);
  });
  console.log(`port ${port}`);
});

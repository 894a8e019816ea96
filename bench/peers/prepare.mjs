// What both servers from npm share: plain http, one process for one processor, and a way for the bench to have codes and tokens made beforehand.
import { createServer } from 'node:http';

export const CLIENT = { id: 'bench', secret: 'a-secret-of-43-characters-as-grantd-makes-1', redirect: 'http://localhost:3000/oauth-callback' };

// `make` is {code(), tokens()}, both async; tokens() gives {refresh, access}. `handle` answers everything else.
export function serve(handle, make) {
  const server = createServer(async (request, response) => {
    if (!request.url.startsWith('/prepare?')) return handle(request, response);
    const wanted = new URL(request.url, 'http://localhost').searchParams;
    const made = { codes: [], tokens: [] };
    for (let i = 0; i < Number(wanted.get('codes')); i++) made.codes.push(await make.code());
    for (let i = 0; i < Number(wanted.get('tokens')); i++) made.tokens.push(await make.tokens());
    response.end(JSON.stringify(made));
  });
  server.keepAliveTimeout = 0; // as the others: a connection stays
  server.listen(Number(process.argv[2]), '127.0.0.1');
}

/// The generated client with the session of whoever signed in. Every refusal is a `Problem`.
import createClient from 'openapi-fetch'
import { expireSession, session } from '@/state/session'
import { zh } from '@/text/zh'
import type { components, paths } from './schema'

export type Schemas = components['schemas']
type Body = Schemas['ProblemBody']

/// Why the hub did not answer what was asked (RFC 9457), or that it was not reached.
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    message: string,
    readonly field: string | null = null,
    readonly retryAfter: number | null = null,
  ) {
    super(message)
  }

  static of({ status, headers }: Response, body: Partial<Body> | undefined): Problem {
    const retryAfter = headers.get('Retry-After')
    const seconds = Number(retryAfter)
    return new Problem(
      status,
      body?.reason ?? '',
      told(body) ?? zh.problem.unknown(status),
      body?.field ?? null,
      retryAfter !== null && Number.isFinite(seconds) ? seconds : null,
    )
  }
}

/// A refusal that only says that a field is wrong says here which one.
function told({ reason, detail_zh, field }: Partial<Body> = {}): string | undefined {
  if (reason !== 'FIELD_INVALID' || !field || detail_zh !== zh.problem.someField) return detail_zh
  return zh.problem.field(fieldName(field))
}

/// `persons[0].birth` as people read it.
export function fieldName(path: string): string {
  const [, nth] = /\[(\d+)\]/.exec(path) ?? []
  const last = path.split('.').at(-1)?.replace(/\[\d*\]/g, '') ?? path
  const name = zh.fields[last] ?? last
  return nth === undefined ? name : zh.problem.nth(Number(nth) + 1, name)
}

/// That the hub was not reached.
export const unreachable = (): Problem => new Problem(0, 'UNREACHABLE', zh.problem.unreachable)

/// What a form refuses before it is sent, for a field that is left blank.
export const missing = (field: string, name: string): Problem => new Problem(400, 'FIELD_INVALID', zh.filing.needed(name), field)

/// A session that is not known any more is over.
function heard({ status }: Response): void {
  if (status === 401) expireSession()
}

/// Of what there is in other forms as well, JSON is what a page reads; files are `askBeside`'s.
export const api = createClient<paths, 'application/json' | 'application/problem+json'>({ baseUrl: globalThis.location?.origin ?? '' })

api.use({
  onRequest({ request }) {
    if (session.value) request.headers.set('Authorization', `Bearer ${session.value.token}`)
    return request
  },
  onResponse({ response }) {
    heard(response)
  },
  onError: unreachable,
})

type Answer<T> = { data?: T; error?: unknown; response: Response }

/// What was asked for, or a `Problem`.
export async function ask<T>(asked: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await asked
  if (!response.ok) throw Problem.of(response, error as Partial<Body>)
  return data as T
}

/// What the generated client does not ask for, a file or another program, in the same session; or a `Problem`.
export async function askBeside(address: string, how: RequestInit, unreached: () => Problem = unreachable): Promise<Response> {
  const headers = { ...how.headers, Authorization: `Bearer ${session.value?.token ?? ''}` }
  const response = await fetch(address, { ...how, headers }).catch(() => {
    throw unreached()
  })
  heard(response)
  if (!response.ok) throw Problem.of(response, (await response.json().catch(() => undefined)) as Partial<Body> | undefined)
  return response
}

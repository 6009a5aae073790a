/// Times, days and numbers as people here read them; always the time of Asia/Shanghai, wherever the browser is.
import { zh } from './zh'

const zone = 'Asia/Shanghai'
const dash = '—'

const parts = new Intl.DateTimeFormat('zh-CN', {
  timeZone: zone,
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})

function local(at: Date): Record<string, string> {
  return Object.fromEntries(parts.formatToParts(at).map(({ type, value }) => [type, value]))
}

/// 2026-11-26 17:05:09
export function time(at: string | null | undefined): string {
  if (!at) return dash
  const { year, month, day, hour, minute, second } = local(new Date(at))
  return `${year}-${month}-${day} ${hour}:${minute}:${second}`
}

/// 2026-11-26
export function day(at: string | null | undefined): string {
  return at ? time(at).slice(0, 10) : dash
}

/// 3 分钟前
export function ago(at: string | null | undefined, now: number = Date.now()): string {
  if (!at) return zh.time.never
  const seconds = Math.max(0, Math.round((now - new Date(at).getTime()) / 1000))
  if (seconds < 60) return zh.time.now
  if (seconds < 3600) return zh.time.minutes(Math.floor(seconds / 60))
  if (seconds < 86_400) return zh.time.hours(Math.floor(seconds / 3600))
  return zh.time.days(Math.floor(seconds / 86_400))
}

/// 1.2 MB
export function size(bytes: number): string {
  const kilobytes = bytes / 1024
  return kilobytes < 1024 ? `${Math.max(1, Math.ceil(kilobytes))} KB` : `${(kilobytes / 1024).toFixed(1)} MB`
}

/// 2026-11, the month that it is now.
export function thisMonth(now: Date = new Date()): string {
  const { year, month } = local(now)
  return `${year}-${month}`
}

/// 2026-11-26, the day that it is now.
export function today(now: Date = new Date()): string {
  const { year, month, day } = local(now)
  return `${year}-${month}-${day}`
}

/// The month so many after another; negative for before.
export function monthAfter(month: string, months: number): string {
  const [year = 0, number = 1] = month.split('-').map(Number)
  const all = year * 12 + (number - 1) + months
  return `${Math.floor(all / 12)}-${String((all % 12) + 1).padStart(2, '0')}`
}

const whole = new Intl.NumberFormat('zh-CN', { maximumFractionDigits: 0 })
const money = new Intl.NumberFormat('zh-CN', { minimumFractionDigits: 2, maximumFractionDigits: 2 })
const share = new Intl.NumberFormat('zh-CN', { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 })

/// 12,345
export const count = (value: number | null | undefined): string => (value == null ? dash : whole.format(value))

/// 4.25
export const decimal = (value: number | null | undefined): string => (value == null ? dash : money.format(value))

/// Fen as yuan.
export const yuan = (fen: number | null | undefined): string => (fen == null ? dash : money.format(fen / 100))

/// 0.123 as 12.3%.
export const percent = (value: number | null | undefined): string => (value == null ? dash : share.format(value))

/// +12.3%
export function change(value: number | null | undefined): string {
  if (value == null) return dash
  return `${value > 0 ? '+' : ''}${share.format(value)}`
}

/// Which page there is, and who may open it. What a role may not see is not in its menu; the hub decides all the same.
import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import NowherePage from './pages/NowherePage.vue'
import type { Role } from './state/session'
import { zh } from './text/zh'

declare module 'vue-router' {
  interface RouteMeta {
    title?: string
    roles?: readonly Role[]
    menu?: boolean
  }
}

const everybody: readonly Role[] = ['notary', 'analyst', 'supervisor', 'operator']

export const pages: RouteRecordRaw[] = [
  {
    path: '/',
    name: 'overview',
    component: () => import('./pages/OverviewPage.vue'),
    meta: { title: zh.page.overview, roles: everybody, menu: true },
  },
  {
    path: '/statistics',
    name: 'statistics',
    component: () => import('./pages/StatisticsPage.vue'),
    meta: { title: zh.page.statistics, roles: ['analyst', 'supervisor', 'notary'], menu: true },
  },
  {
    path: '/check',
    name: 'check',
    component: () => import('./pages/CheckPage.vue'),
    meta: { title: zh.page.check, roles: ['notary'], menu: true },
  },
  {
    path: '/reviews/:kind(duplicates|persons)?/:id?',
    name: 'reviews',
    component: () => import('./pages/ReviewsPage.vue'),
    meta: { title: zh.page.reviews, roles: ['supervisor', 'notary'], menu: true },
  },
  {
    path: '/supervision/:kind(findings|inspections|missing)?/:id?',
    name: 'supervision',
    component: () => import('./pages/SupervisionPage.vue'),
    meta: { title: zh.page.supervision, roles: ['supervisor', 'notary'], menu: true },
  },
  {
    path: '/filings/:kind?',
    name: 'filings',
    component: () => import('./pages/FilingsPage.vue'),
    meta: { title: zh.page.filings, roles: ['supervisor', 'notary'], menu: true },
  },
  {
    path: '/windows/:id?',
    name: 'windows',
    component: () => import('./pages/WindowsPage.vue'),
    meta: { title: zh.page.windows, roles: ['supervisor', 'notary'], menu: true },
  },
  {
    path: '/offices/:id?',
    name: 'offices',
    component: () => import('./pages/OfficePage.vue'),
    meta: { title: zh.page.offices, roles: everybody, menu: true },
  },
  {
    path: '/reports/:period?',
    name: 'reports',
    component: () => import('./pages/ReportsPage.vue'),
    meta: { title: zh.page.reports, roles: ['analyst', 'supervisor'], menu: true },
  },
  {
    path: '/alarms/:id?',
    name: 'alarms',
    component: () => import('./pages/AlarmsPage.vue'),
    meta: { title: zh.page.alarms, roles: ['supervisor', 'operator'], menu: true },
  },
  {
    path: '/audit',
    name: 'audit',
    component: () => import('./pages/AuditPage.vue'),
    meta: { title: zh.page.audit, roles: ['supervisor'], menu: true },
  },
  {
    path: '/exports',
    name: 'exports',
    component: () => import('./pages/ExportsPage.vue'),
    meta: { title: zh.page.exports, roles: ['notary', 'analyst', 'supervisor'], menu: true },
  },
  {
    path: '/system',
    name: 'system',
    component: () => import('./pages/SystemPage.vue'),
    meta: { title: zh.page.system, roles: ['operator'], menu: true },
  },
  {
    path: '/account',
    name: 'account',
    component: () => import('./pages/AccountPage.vue'),
    meta: { title: zh.page.account, roles: everybody },
  },
]

export const router = createRouter({
  history: createWebHistory(),
  routes: [...pages, { path: '/password', redirect: '/account' }, { path: '/:rest(.*)*', name: 'nowhere', component: NowherePage }],
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
})

router.afterEach((to) => {
  document.title = to.meta.title ? `${to.meta.title} · ${zh.title}` : zh.title
})

export const mayOpen = (page: { meta?: { roles?: readonly Role[] } }, role: Role): boolean =>
  page.meta?.roles?.includes(role) ?? true

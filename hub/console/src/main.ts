import { createApp } from 'vue'
import App from './App.vue'
import { router } from './router'
import './look.css'

createApp(App).use(router).mount('#console')

#!/usr/bin/env bash
# Types, style, tidiness, spelling and what is installed: every part must pass.
set -eu
cd "$(dirname "$0")/.."
step() { printf '%s\n' "· $1"; }
step types && npx tsc --noEmit
step style && npx biome check --error-on-warnings .
step tidy && npx jest --selectProjects tidy
step documents && npm run --silent docs -- --check
step spelling && npx cspell --no-progress --quiet .
step 'one graphql' && node scripts/one-graphql.mjs
step 'installed tree' && npm ls --all > /dev/null
step 'lock complete' && node scripts/complete-lock.mjs --check

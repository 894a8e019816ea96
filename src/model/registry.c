#include "registry.h"

/* Open addressing with linear probing; a slot holds row + 1, 0 is empty. Tables are at most half full, so that probing
 * ends soon. The keys in a table are the operator's own, so the hash need not withstand strangers. */

static size_t table_size(size_t rows) {
    size_t size = 4;
    while (size < rows * 2) size *= 2;
    return size;
}

static size_t hash_str(str s) { /* FNV-1a */
    uint64_t h = 0xCBF29CE484222325u;
    for (size_t i = 0; i < s.n; i++) h = (h ^ (uint8_t)s.p[i]) * 0x100000001B3u;
    return (size_t)(h ^ h >> 32);
}

static size_t hash_id(int32_t id) { return (size_t)((uint64_t)(uint32_t)id * 0x9E3779B97F4A7C15u >> 32); }

static void insert(uint32_t *table, size_t mask, size_t hash, size_t row) {
    size_t slot = hash & mask;
    while (table[slot]) slot = (slot + 1) & mask;
    table[slot] = (uint32_t)(row + 1);
}

static void index_apps(struct registry *r) {
    size_t size = table_size(r->n_apps);
    r->client_mask = r->app_mask = size - 1;
    r->by_client_id = ARENA_ARRAY(r->arena, uint32_t, size);
    r->by_app_id = ARENA_ARRAY(r->arena, uint32_t, size);
    for (size_t i = 0; i < r->n_apps; i++) {
        insert(r->by_client_id, r->client_mask, hash_str(r->apps[i].client_id), i);
        insert(r->by_app_id, r->app_mask, hash_id(r->apps[i].app_id), i);
    }
}

static void index_scopes(struct registry *r) {
    size_t size = table_size(r->n_scopes);
    uint16_t highest = 0;
    r->scope_mask = size - 1;
    r->by_scope_name = ARENA_ARRAY(r->arena, uint32_t, size);
    for (size_t i = 0; i < r->n_scopes; i++) {
        insert(r->by_scope_name, r->scope_mask, hash_str(r->scopes[i].name), i);
        if (r->scopes[i].id > highest) highest = r->scopes[i].id;
    }
    r->n_scope_by_id = (size_t)highest + 1;
    r->scope_by_id = ARENA_ARRAY(r->arena, const struct scope *, r->n_scope_by_id);
    for (size_t i = 0; i < r->n_scopes; i++) r->scope_by_id[r->scopes[i].id] = &r->scopes[i];
}

static size_t count_secret_keys(const struct app *app) {
    size_t n = 0;
    for (size_t i = 0; i < app->n_secrets; i++) {
        size_t first = 0;
        while (app->secrets[first].key_number != app->secrets[i].key_number) first++;
        n += first == i;
    }
    return n;
}

void registry_index(struct registry *r) {
    r->secret_keys = 1;
    for (size_t i = 0; i < r->n_apps; i++) {
        size_t n = count_secret_keys(&r->apps[i]);
        if (n > r->secret_keys) r->secret_keys = n;
    }
    index_apps(r);
    index_scopes(r);
}

const struct app *registry_app_by_client_id(const struct registry *r, str client_id) {
    for (size_t slot = hash_str(client_id) & r->client_mask; r->by_client_id[slot];
         slot = (slot + 1) & r->client_mask) {
        const struct app *app = &r->apps[r->by_client_id[slot] - 1];
        if (str_eq(app->client_id, client_id)) return app;
    }
    return NULL;
}

const struct app *registry_app_by_id(const struct registry *r, int32_t app_id) {
    for (size_t slot = hash_id(app_id) & r->app_mask; r->by_app_id[slot]; slot = (slot + 1) & r->app_mask) {
        const struct app *app = &r->apps[r->by_app_id[slot] - 1];
        if (app->app_id == app_id) return app;
    }
    return NULL;
}

const struct scope *registry_scope_by_name(const struct registry *r, str name) {
    for (size_t slot = hash_str(name) & r->scope_mask; r->by_scope_name[slot]; slot = (slot + 1) & r->scope_mask) {
        const struct scope *scope = &r->scopes[r->by_scope_name[slot] - 1];
        if (str_eq(scope->name, name)) return scope;
    }
    return NULL;
}

const struct scope *registry_scope_by_id(const struct registry *r, uint16_t id) {
    return id && id < r->n_scope_by_id ? r->scope_by_id[id] : NULL;
}

/* There are few, and most requests name none. */
const struct resource *registry_resource_by_uri(const struct registry *r, str uri) {
    for (size_t i = 0; i < r->n_resources; i++) {
        const struct resource *resource = &r->resources[i];
        for (size_t k = 0; k < resource->n_uris && !(resource->flags & RESOURCE_DELETED); k++)
            if (str_eq(resource->uris[k], uri)) return resource;
    }
    return NULL;
}

const struct resource *registry_resource_by_id(const struct registry *r, uint16_t id) {
    size_t low = 0, high = r->n_resources;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->resources[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < r->n_resources && r->resources[low].id == id;
    return found && !(r->resources[low].flags & RESOURCE_DELETED) ? &r->resources[low] : NULL;
}

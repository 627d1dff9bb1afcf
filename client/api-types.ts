// Made by `npm run docs` from docs/openapi.json (openapi-typescript). Change it there.
export interface paths {
    "/api/auth/register": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make an account and sign in
         * @description The first session is opened at once; the answer is the same as a login's. The visit and the preferences of the guest that asks come along.
         */
        post: operations["register"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign in
         * @description Opens a session for this device, by e-mail address or by username. An unknown account and a wrong password are the same answer. Also at `/login`.
         */
        post: operations["login"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Get the next tokens
         * @description A refresh token gives a new pair and is spent. Used again within the grace (10 s by default) it gives the same successor, so a lost answer can be asked for again; used later it ends its session. With no refresh token a still valid access token gives a new access token. What came by cookie is answered by cookie. Also at `/refresh_token`.
         */
        post: operations["refresh"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign out of this device
         * @description Ends the session of the tokens presented: access token (an expired one too), refresh token in the body, or cookies. Every token of the session is refused from then on, by every instance. Idempotent: dead tokens are answered 200 with `revoked: 0`.
         */
        post: operations["logout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/logout-all": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign out of every device
         * @description Ends every session of the user. Needs a token that is still good: an expired access token is answered `token_expired` (refresh, then try again); a session that has ended is answered 200 with `revoked: 0`.
         */
        post: operations["logoutAll"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/avatars/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A picture of an account
         * @description `avatarUrl` leads here. A picture never changes, so it may be kept for good; an address whose picture was replaced answers with the new one, which is not to be kept.
         */
        get: operations["getAvatar"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/livez": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Is the process alive?
         * @description Answers as long as the process can answer at all, and asks no store: restart it when this fails. Whether it may be sent requests is told by `/readyz`.
         */
        get: operations["livez"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * May it be sent requests?
         * @description `degraded`: Redis is away or revocations of other instances are not heard; MongoDB decides meanwhile. 503: MongoDB does not answer or its indexes do not stand yet.
         */
        get: operations["readyz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/.well-known/jwks.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * With what do other services verify access tokens?
         * @description The JWK Set (RFC 7517) of the key pairs in ACCESS_TOKEN_KEYS: the one that signs and those that verify. Empty where secrets sign: they are not published. A signature says who somebody is, not whether the session still lives: only this service knows that.
         */
        get: operations["keySet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/problems/{code}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What a problem code means
         * @description Where the `type` of every problem leads: the status of its `code`, what it means, and what a client does about it. `docs/errors.md` of the package lists them all.
         */
        get: operations["describeProblem"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How is the service?
         * @description From counters, so it takes as long with a million sessions as with one. 503 while MongoDB does not answer, with the same members beside those of a problem. `cache`, `uptime` and `worker`, of the process that answers, are for admins and for `METRICS_TOKEN`; outside production for anybody while that is not set.
         */
        get: operations["health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Numbers for Prometheus
         * @description Counters, gauges and histograms of this instance and its process, in Prometheus' text format. For whoever has `METRICS_TOKEN`, and for admins; where that is not set, for anybody outside production.
         */
        get: operations["metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The running visit
         * @description Does not renew its idle time. With `scope=user`, a user's running visits on all devices, newest first. Also at `/session`.
         */
        get: operations["getVisit"];
        put?: never;
        /**
         * Begin a visit, or go on with it
         * @description A guest is known by the cookie that this sets, a user by the access token: one visit runs for each login. Renews the idle time of a running visit. Also at `/session`.
         */
        post: operations["openVisit"];
        /**
         * End the running visit
         * @description Answers the visit as it stands in the archive. Also at `/session`.
         */
        delete: operations["endVisit"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/session/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Archived visits of the user
         * @description Newest first. Pages and actions of one of them: `GET /api/session/page?visit=<id>` and `GET /api/session/action?visit=<id>`.
         */
        get: operations["listVisitHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/session/page": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Pages of a visit, with their times
         * @description Of the running visit, or for a user of any own visit by `visit`. Also at `/session/page`.
         */
        get: operations["listPages"];
        put?: never;
        /**
         * Note a page of the visit
         * @description Begins a visit if none runs (a guest then gets its cookie). A user's page is in MongoDB when this answers. A visit holds at most `VISIT_ENTRIES` of them (1000 by default); the next one is refused with `visit_full`, and nothing that was taken is ever dropped. Also at `/session/page`.
         */
        post: operations["notePage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/session/action": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Actions of a visit
         * @description Of the running visit, or for a user of any own visit by `visit`.
         */
        get: operations["listActions"];
        put?: never;
        /**
         * Note an action of the visitor
         * @description Begins a visit if none runs (a guest then gets its cookie). A user's action is in MongoDB when this answers. A visit holds at most `VISIT_ENTRIES` of them (1000 by default); the next one is refused with `visit_full`, and nothing that was taken is ever dropped.
         */
        post: operations["noteAction"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/preferences": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Preferences of the visitor
         * @description A user's from the account, a guest's from a signed cookie; what was never chosen has its default. Also at `/preferences`.
         */
        get: operations["getPreferences"];
        put?: never;
        /**
         * Change preferences
         * @description Changes what is given and leaves the rest alone. What a guest chose fills, at register and login, what the user never chose. Also at `/preferences`.
         */
        post: operations["setPreferences"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/protected": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Greets the signed-in account
         * @description Answers from the cached session without a query of its own: the door to measure the check with. Also at `/protected`.
         */
        get: operations["protected"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/profile": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The signed-in account
         * @description Everything that its owner may see of it, preferences included, as the last change left it, whichever instance answers. Also at `/profile`.
         */
        get: operations["getProfile"];
        /**
         * Change the signed-in account
         * @description Changes what is given and leaves the rest alone. Another e-mail address or username needs `currentPassword`. Whoever asks afterwards gets the new profile, on every instance. Also at `/profile`.
         */
        put: operations["changeProfile"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/profile/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Change the password
         * @description Ends every session of the user. The device that asks gets a new one: its tokens come as the access token came, in the body or as cookies.
         */
        put: operations["changePassword"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/profile/avatar": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Upload a picture of the account
         * @description A PNG, JPEG or WebP of at most 2 MiB and 4096 pixels a side, judged by its content. It is cut to a square of at most 512 pixels and made anew in the same format: the first frame, upright, without metadata. It replaces the picture before it.
         */
        post: operations["uploadAvatar"];
        /**
         * Delete the picture of the account
         * @description `avatarUrl` is null from then on, and the address of the picture leads nowhere. An account without a picture is answered alike.
         */
        delete: operations["deleteAvatar"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Where the account is signed in
         * @description Live sessions, newest first, one for each device; no secrets. A user has at most `SESSIONS_PER_USER` (20) of them: at one more the oldest ends.
         */
        get: operations["listSessions"];
        put?: never;
        post?: never;
        /**
         * Sign out of every other device
         * @description Ends every session of the user but the one that asks; every token of those is refused from then on, by every instance. `revoked` says how many they were.
         */
        delete: operations["endOtherSessions"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Sign out of one device
         * @description Ends one of the user's own sessions, this one included; every token of it is refused from then on, by every instance. Idempotent.
         */
        delete: operations["endSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * @description RFC 9457 problem document that also parses as Fastify's own error shape.
         * @example {
         *       "type": "/problems/validation_failed",
         *       "title": "Invalid input",
         *       "status": 400,
         *       "detail": "The request does not fit the description of this operation.",
         *       "instance": "/",
         *       "code": "validation_failed",
         *       "requestId": "k3v1-2a",
         *       "statusCode": 400,
         *       "error": "Bad Request",
         *       "message": "The request does not fit the description of this operation.",
         *       "errors": [
         *         {
         *           "path": "/body/password",
         *           "message": "is required"
         *         }
         *       ]
         *     }
         */
        Problem: {
            /** @description Address of the description of this code. */
            type: string;
            title: string;
            status: number;
            detail: string;
            /** @description Path of the request. */
            instance: string;
            /**
             * @description Stable; tells what to do.
             * @enum {string}
             */
            code: "validation_failed" | "password_too_short" | "password_too_long" | "password_common" | "invalid_credentials" | "token_missing" | "token_expired" | "token_invalid" | "session_revoked" | "refresh_token_missing" | "refresh_token_expired" | "refresh_token_invalid" | "refresh_token_reused" | "csrf_rejected" | "current_password_invalid" | "forbidden" | "not_found" | "visit_not_found" | "method_not_allowed" | "request_timeout" | "email_taken" | "username_taken" | "visit_full" | "payload_too_large" | "uri_too_long" | "unsupported_media_type" | "rate_limited" | "headers_too_large" | "internal_error" | "unavailable";
            requestId: string;
            /** @description The same as status, for clients of Fastify services. */
            statusCode: number;
            error: string;
            /** @description The same as detail. */
            message: string;
            errors?: {
                /** @description JSON pointer to what is wrong; the first part names the part of the request. */
                path: string;
                message: string;
            }[];
        } & {
            [key: string]: unknown;
        };
        /**
         * @description What an account shows of itself.
         * @example {
         *       "id": "qk1Jd0yW3mZQ8n5r2vT6aA",
         *       "_id": "qk1Jd0yW3mZQ8n5r2vT6aA",
         *       "username": "ada",
         *       "email": "ada@example.com",
         *       "fullName": "Ada Lovelace",
         *       "role": "user",
         *       "avatarUrl": null
         *     }
         */
        PublicUser: {
            /** @description Id of the account. */
            id: string;
            /** @description The same id, for clients of older services. */
            _id: string;
            username: string;
            email: string;
            fullName: string | null;
            /** @enum {string} */
            role: "user" | "admin";
            avatarUrl: string | null;
        };
        /**
         * @description How a visitor wants things.
         * @example {
         *       "theme": "system",
         *       "notifications": true,
         *       "language": "en"
         *     }
         */
        Preferences: {
            /** @enum {string} */
            theme: "light" | "dark" | "system";
            notifications: boolean;
            /**
             * @description BCP 47 language tag.
             * @example en
             */
            language: string;
        };
        /**
         * @description The account as its owner sees it.
         * @example {
         *       "id": "qk1Jd0yW3mZQ8n5r2vT6aA",
         *       "_id": "qk1Jd0yW3mZQ8n5r2vT6aA",
         *       "username": "ada",
         *       "email": "ada@example.com",
         *       "fullName": "Ada Lovelace",
         *       "role": "user",
         *       "avatarUrl": null,
         *       "preferences": {
         *         "theme": "system",
         *         "notifications": true,
         *         "language": "en"
         *       },
         *       "createdAt": "2026-11-21T09:30:00.000Z",
         *       "updatedAt": "2026-11-21T09:30:00.000Z"
         *     }
         */
        Profile: {
            /** @description Id of the account. */
            id: string;
            /** @description The same id, for clients of older services. */
            _id: string;
            username: string;
            email: string;
            fullName: string | null;
            /** @enum {string} */
            role: "user" | "admin";
            avatarUrl: string | null;
            preferences: components["schemas"]["Preferences"];
            /**
             * Format: date-time
             * @description When the account was made.
             * @example 2026-11-21T09:30:00.000Z
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description When the account was last changed.
             * @example 2026-11-21T09:30:00.000Z
             */
            updatedAt: string;
        };
        /**
         * @description One login on one device.
         * @example {
         *       "id": "5cJq0W8mR2yXv7TnB4kD1g",
         *       "createdAt": "2026-11-21T09:30:00.000Z",
         *       "expiresAt": "2026-11-28T09:30:00.000Z",
         *       "absoluteExpiresAt": "2026-12-21T09:30:00.000Z"
         *     }
         */
        SessionSummary: {
            /** @description Id of the session: one login on one device. */
            id: string;
            /**
             * Format: date-time
             * @description When the login happened.
             * @example 2026-11-21T09:30:00.000Z
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description When it ends if it is not refreshed.
             * @example 2026-11-21T09:30:00.000Z
             */
            expiresAt: string;
            /**
             * Format: date-time
             * @description When it ends in any case.
             * @example 2026-11-21T09:30:00.000Z
             */
            absoluteExpiresAt: string;
        };
        /**
         * @description A signed-in session and its tokens.
         * @example {
         *       "message": "Login successful",
         *       "accessToken": "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImsxIn0.eyJzdWIiOiJxazFKZDB5VzNtWlE4bjVyMnZUNmFBIn0.c2lnbmF0dXJl",
         *       "token": "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImsxIn0.eyJzdWIiOiJxazFKZDB5VzNtWlE4bjVyMnZUNmFBIn0.c2lnbmF0dXJl",
         *       "refreshToken": "rt1.5cJq0W8mR2yXv7TnB4kD1g.0.bWFj",
         *       "tokenType": "Bearer",
         *       "expiresIn": 900,
         *       "refreshExpiresIn": 604800,
         *       "user": {
         *         "id": "qk1Jd0yW3mZQ8n5r2vT6aA",
         *         "_id": "qk1Jd0yW3mZQ8n5r2vT6aA",
         *         "username": "ada",
         *         "email": "ada@example.com",
         *         "fullName": "Ada Lovelace",
         *         "role": "user",
         *         "avatarUrl": null
         *       },
         *       "session": {
         *         "id": "5cJq0W8mR2yXv7TnB4kD1g",
         *         "createdAt": "2026-11-21T09:30:00.000Z",
         *         "expiresAt": "2026-11-28T09:30:00.000Z",
         *         "absoluteExpiresAt": "2026-12-21T09:30:00.000Z"
         *       }
         *     }
         */
        TokenAnswer: {
            message: string;
            /** @description Send it as `Authorization: Bearer`. Absent with cookie transport. */
            accessToken?: string;
            /** @description The same as accessToken, for clients of older services. */
            token?: string;
            /** @description Gives the next pair, once. Absent with cookie transport and when an access token renewed itself. */
            refreshToken?: string;
            /** @enum {string} */
            tokenType: "Bearer";
            /** @description Seconds until the access token runs out. */
            expiresIn: number;
            /** @description Seconds until the session ends if it is not refreshed. */
            refreshExpiresIn: number;
            user: components["schemas"]["PublicUser"];
            session: components["schemas"]["SessionSummary"];
        };
        /**
         * @description The new session of the device that changed the password.
         * @example {
         *       "message": "Password changed",
         *       "accessToken": "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImsxIn0.eyJzdWIiOiJxazFKZDB5VzNtWlE4bjVyMnZUNmFBIn0.c2lnbmF0dXJl",
         *       "token": "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6ImsxIn0.eyJzdWIiOiJxazFKZDB5VzNtWlE4bjVyMnZUNmFBIn0.c2lnbmF0dXJl",
         *       "refreshToken": "rt1.5cJq0W8mR2yXv7TnB4kD1g.0.bWFj",
         *       "tokenType": "Bearer",
         *       "expiresIn": 900,
         *       "refreshExpiresIn": 604800,
         *       "user": {
         *         "id": "qk1Jd0yW3mZQ8n5r2vT6aA",
         *         "_id": "qk1Jd0yW3mZQ8n5r2vT6aA",
         *         "username": "ada",
         *         "email": "ada@example.com",
         *         "fullName": "Ada Lovelace",
         *         "role": "user",
         *         "avatarUrl": null
         *       },
         *       "session": {
         *         "id": "5cJq0W8mR2yXv7TnB4kD1g",
         *         "createdAt": "2026-11-21T09:30:00.000Z",
         *         "expiresAt": "2026-11-28T09:30:00.000Z",
         *         "absoluteExpiresAt": "2026-12-21T09:30:00.000Z"
         *       },
         *       "revoked": 2
         *     }
         */
        PasswordAnswer: {
            message: string;
            /** @description Send it as `Authorization: Bearer`. Absent with cookie transport. */
            accessToken?: string;
            /** @description The same as accessToken, for clients of older services. */
            token?: string;
            /** @description Gives the next pair, once. Absent with cookie transport and when an access token renewed itself. */
            refreshToken?: string;
            /** @enum {string} */
            tokenType: "Bearer";
            /** @description Seconds until the access token runs out. */
            expiresIn: number;
            /** @description Seconds until the session ends if it is not refreshed. */
            refreshExpiresIn: number;
            user: components["schemas"]["PublicUser"];
            session: components["schemas"]["SessionSummary"];
            /** @description Sessions that this call ended. */
            revoked: number;
        };
        /**
         * @description How many sessions are over.
         * @example {
         *       "message": "Logout successful",
         *       "revoked": 1
         *     }
         */
        RevokedAnswer: {
            message: string;
            /** @description Sessions that this call ended. */
            revoked: number;
        };
        /**
         * @description Live sessions of the user, newest first: one for each device.
         * @example {
         *       "items": [
         *         {
         *           "id": "5cJq0W8mR2yXv7TnB4kD1g",
         *           "current": true,
         *           "createdAt": "2026-11-21T09:30:00.000Z",
         *           "lastSeenAt": "2026-11-21T09:45:00.000Z",
         *           "expiresAt": "2026-11-28T09:30:00.000Z",
         *           "ip": "203.0.113.7",
         *           "userAgent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
         *           "device": {
         *             "type": "desktop",
         *             "os": "Windows",
         *             "browser": "Firefox"
         *           }
         *         }
         *       ],
         *       "nextCursor": null
         *     }
         */
        SessionList: {
            items: {
                /** @description Id of the session: one login on one device. */
                id: string;
                /** @description Whether it is the session that asks. */
                current: boolean;
                /**
                 * Format: date-time
                 * @description When the login happened.
                 * @example 2026-11-21T09:30:00.000Z
                 */
                createdAt: string;
                /**
                 * Format: date-time
                 * @description When a request last came with it, to the minute.
                 * @example 2026-11-21T09:30:00.000Z
                 */
                lastSeenAt: string;
                /**
                 * Format: date-time
                 * @description When it ends if it is not refreshed.
                 * @example 2026-11-21T09:30:00.000Z
                 */
                expiresAt: string;
                /** @description Address that signed in. */
                ip: string;
                userAgent: string;
                /** @description What the User-Agent says; nothing is decided by it. */
                device: {
                    /** @description `desktop`, `mobile`, `tablet`, `unknown` ... */
                    type: string;
                    os: string | null;
                    browser: string | null;
                };
            }[];
            nextCursor: string | null;
        };
        /**
         * @description How the service is. `cache`, `uptime` and `worker` are for whoever may see details.
         * @example {
         *       "status": "OK",
         *       "redis": "connected",
         *       "mongo": "connected",
         *       "sessionStats": {
         *         "activeSessions": 5,
         *         "cachedProfiles": 3,
         *         "blacklistedTokens": 2
         *       },
         *       "cache": {
         *         "memory": 18200,
         *         "redis": 412,
         *         "mongo": 96,
         *         "hitRatio": 0.9949
         *       },
         *       "uptime": 86400
         *     }
         */
        HealthAnswer: {
            /**
             * @description `DEGRADED`: Redis does not answer, MongoDB decides meanwhile.
             * @enum {string}
             */
            status: "OK" | "DEGRADED";
            /** @enum {string} */
            redis: "connected" | "disconnected" | "embedded";
            /** @enum {string} */
            mongo: "connected" | "disconnected" | "embedded";
            /** @description Counted as things happen, and put right by a job; while Redis does not answer, the last numbers known. */
            sessionStats: {
                /** @description Sessions that live. */
                activeSessions: number;
                /** @description Profiles that have a copy in Redis. */
                cachedProfiles: number;
                /** @description Sessions that were ended while access tokens of theirs may still be about. */
                blacklistedTokens: number;
            };
            cache?: {
                /** @description Checks that this process answered from its memory. */
                memory: number;
                /** @description Checks that Redis answered. */
                redis: number;
                /** @description Checks that MongoDB answered. */
                mongo: number;
                /** @description Part of all checks that needed no MongoDB. */
                hitRatio: number;
            };
            /** @description Seconds since this process began. */
            uptime?: number;
            /** @description Which one of several workers this process is (`WORKERS`). */
            worker?: number;
        };
        /**
         * @description A browsing session of a guest or a user.
         * @example {
         *       "id": "pZ8rN2f1Q0yTt5o3uXw7Bg",
         *       "startTime": "2026-11-21T09:30:00.000Z",
         *       "sessionDuration": 95,
         *       "pagesVisited": [
         *         "/",
         *         "/products/42"
         *       ],
         *       "pageCount": 2,
         *       "actionCount": 1,
         *       "nextCursor": null
         *     }
         */
        Visit: {
            /**
             * @description Id of the visit.
             * @example pZ8rN2f1Q0yTt5o3uXw7Bg
             */
            id: string;
            /**
             * Format: date-time
             * @description When the visit began.
             * @example 2026-11-21T09:30:00.000Z
             */
            startTime: string;
            /** @description Seconds from its start to its end, or to now while it runs. */
            sessionDuration: number;
            /** @description Pages in the order they were visited, from `cursor` on. */
            pagesVisited: string[];
            /** @description Pages in all. */
            pageCount: number;
            /** @description Actions in all. */
            actionCount: number;
            nextCursor: string | null;
        };
        /**
         * @description One of a user's visits, with its first pages.
         * @example {
         *       "id": "pZ8rN2f1Q0yTt5o3uXw7Bg",
         *       "startTime": "2026-11-21T09:30:00.000Z",
         *       "sessionDuration": 95,
         *       "pagesVisited": [
         *         "/",
         *         "/products/42"
         *       ],
         *       "pageCount": 2,
         *       "actionCount": 1,
         *       "nextCursor": null,
         *       "endTime": null,
         *       "current": true
         *     }
         */
        ListedVisit: {
            /**
             * @description Id of the visit.
             * @example pZ8rN2f1Q0yTt5o3uXw7Bg
             */
            id: string;
            /**
             * Format: date-time
             * @description When the visit began.
             * @example 2026-11-21T09:30:00.000Z
             */
            startTime: string;
            /** @description Seconds from its start to its end, or to now while it runs. */
            sessionDuration: number;
            /** @description Pages in the order they were visited, from `cursor` on. */
            pagesVisited: string[];
            /** @description Pages in all. */
            pageCount: number;
            /** @description Actions in all. */
            actionCount: number;
            nextCursor: string | null;
            endTime: string | null;
            /** @description Whether it is the visit of the login that asks. */
            current: boolean;
        };
        /**
         * @description Visits of a user, newest first.
         * @example {
         *       "items": [
         *         {
         *           "id": "pZ8rN2f1Q0yTt5o3uXw7Bg",
         *           "startTime": "2026-11-21T09:30:00.000Z",
         *           "sessionDuration": 95,
         *           "pagesVisited": [
         *             "/",
         *             "/products/42"
         *           ],
         *           "pageCount": 2,
         *           "actionCount": 1,
         *           "nextCursor": null,
         *           "endTime": null,
         *           "current": true
         *         }
         *       ],
         *       "nextCursor": null
         *     }
         */
        VisitList: {
            items: components["schemas"]["ListedVisit"][];
            nextCursor: string | null;
        };
        /**
         * @description Pages of a visit, in order.
         * @example {
         *       "items": [
         *         {
         *           "pageId": "/",
         *           "at": "2026-11-21T09:30:00.000Z"
         *         }
         *       ],
         *       "nextCursor": null
         *     }
         */
        PageList: {
            items: {
                pageId: string;
                /**
                 * Format: date-time
                 * @description When it was visited.
                 * @example 2026-11-21T09:30:00.000Z
                 */
                at: string;
            }[];
            nextCursor: string | null;
        };
        /**
         * @description Actions of a visit, in order.
         * @example {
         *       "items": [
         *         {
         *           "action": "add_to_cart",
         *           "target": "product-42",
         *           "details": {
         *             "quantity": 2
         *           },
         *           "at": "2026-11-21T09:31:00.000Z"
         *         }
         *       ],
         *       "nextCursor": null
         *     }
         */
        ActionList: {
            items: {
                action: string;
                target: string | null;
                details: {
                    [key: string]: string | number | boolean;
                } | null;
                /**
                 * Format: date-time
                 * @description When it was done.
                 * @example 2026-11-21T09:30:00.000Z
                 */
                at: string;
            }[];
            nextCursor: string | null;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    register: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "email": "ada@example.com",
                 *       "username": "ada",
                 *       "password": "correct horse battery",
                 *       "fullName": "Ada Lovelace"
                 *     }
                 */
                "application/json": {
                    /** @example ada@example.com */
                    email: string;
                    /**
                     * @description 3 to 32 of A-Z a-z 0-9 . _ -
                     * @example ada
                     */
                    username: string;
                    /**
                     * @description Up to 72 bytes in UTF-8.
                     * @example correct horse battery
                     */
                    password: string;
                    /** @example Ada Lovelace */
                    fullName?: string;
                    /**
                     * @description How tokens come: in the body, or as httpOnly cookies for a browser.
                     * @default body
                     * @enum {string}
                     */
                    transport?: "body" | "cookie";
                };
            };
        };
        responses: {
            /** @description The account stands and is signed in. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenAnswer"];
                };
            };
            /**
             * @description `validation_failed`: The request does not fit the description of this operation.
             *
             *     `password_too_short`: The password has too few characters.
             *
             *     `password_too_long`: The password is longer than 72 bytes in UTF-8.
             *
             *     `password_common`: The password is on a list of common passwords or is made of what is known of the account.
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `csrf_rejected`: The request came from another site. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `email_taken`: An account with this e-mail address exists.
             *
             *     `username_taken`: An account with this username exists.
             */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `payload_too_large`: The body is larger than this operation takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type`: The body, or a file in it, is of a type that this operation does not take. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    login: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "email": "ada@example.com",
                 *       "password": "correct horse battery"
                 *     }
                 */
                "application/json": {
                    /** @example ada@example.com */
                    email?: string;
                    /** @example ada */
                    username?: string;
                    /** @example correct horse battery */
                    password: string;
                    /**
                     * @description How tokens come: in the body, or as httpOnly cookies for a browser.
                     * @default body
                     * @enum {string}
                     */
                    transport?: "body" | "cookie";
                } & (unknown | unknown);
            };
        };
        responses: {
            /** @description Signed in. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenAnswer"];
                };
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid_credentials`: The account or the password is wrong. */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `csrf_rejected`: The request came from another site. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `payload_too_large`: The body is larger than this operation takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type`: The body, or a file in it, is of a type that this operation does not take. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    refresh: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "refreshToken": "rt1.5cJq0W8mR2yXv7TnB4kD1g.0.bWFj"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description Without it the cookie is read.
                     * @example rt1.5cJq0W8mR2yXv7TnB4kD1g.0.bWFj
                     */
                    refreshToken?: string;
                };
            };
        };
        responses: {
            /** @description The next tokens. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenAnswer"];
                };
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `token_expired`: The access token has run out.
             *
             *     `token_invalid`: The access token is malformed or was not signed by this service.
             *
             *     `session_revoked`: The session of this token has ended.
             *
             *     `refresh_token_missing`: This operation needs a refresh token or a valid access token.
             *
             *     `refresh_token_expired`: The session has been idle too long or has reached its end.
             *
             *     `refresh_token_invalid`: The refresh token is malformed or was not issued by this service.
             *
             *     `refresh_token_reused`: The refresh token had been used before, so its session was ended.
             */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `csrf_rejected`: The request came from another site. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `payload_too_large`: The body is larger than this operation takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type`: The body, or a file in it, is of a type that this operation does not take. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    logout: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "refreshToken": "rt1.5cJq0W8mR2yXv7TnB4kD1g.0.bWFj"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description Without it the cookie is read.
                     * @example rt1.5cJq0W8mR2yXv7TnB4kD1g.0.bWFj
                     */
                    refreshToken?: string;
                };
            };
        };
        responses: {
            /** @description The session is over. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RevokedAnswer"];
                };
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `token_missing`: This operation needs an access token.
             *
             *     `token_invalid`: The access token is malformed or was not signed by this service.
             */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `csrf_rejected`: The request came from another site. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `payload_too_large`: The body is larger than this operation takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type`: The body, or a file in it, is of a type that this operation does not take. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    logoutAll: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "refreshToken": "rt1.5cJq0W8mR2yXv7TnB4kD1g.0.bWFj"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description Without it the cookie is read.
                     * @example rt1.5cJq0W8mR2yXv7TnB4kD1g.0.bWFj
                     */
                    refreshToken?: string;
                };
            };
        };
        responses: {
            /** @description Every session is over. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RevokedAnswer"];
                };
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `token_missing`: This operation needs an access token.
             *
             *     `token_expired`: The access token has run out.
             *
             *     `token_invalid`: The access token is malformed or was not signed by this service.
             *
             *     `refresh_token_invalid`: The refresh token is malformed or was not issued by this service.
             */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `csrf_rejected`: The request came from another site. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `payload_too_large`: The body is larger than this operation takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type`: The body, or a file in it, is of a type that this operation does not take. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getAvatar: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the picture.
                 * @example Zk3v0n1yW3mZQ8n5r2vT6a.qk1Jd0yW3mZQ8n5r2vT6aA
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The picture. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/png": string;
                    "image/jpeg": string;
                    "image/webp": string;
                };
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: There is nothing at this address. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    livez: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "ok"
                     *     }
                     */
                    "application/json": {
                        /** @enum {string} */
                        status: "ok";
                    };
                };
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readyz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It may. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "ready",
                     *       "mongo": "connected",
                     *       "redis": "connected",
                     *       "channel": "hearing"
                     *     }
                     */
                    "application/json": {
                        /** @enum {string} */
                        status: "ready" | "degraded";
                        /** @enum {string} */
                        mongo: "connected" | "embedded";
                        /** @enum {string} */
                        redis: "connected" | "disconnected" | "embedded";
                        /**
                         * @description Whether revocations of other instances are heard.
                         * @enum {string}
                         */
                        channel: "hearing" | "deaf" | "none";
                    };
                };
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    keySet: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The keys. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "keys": [
                     *         {
                     *           "kty": "OKP",
                     *           "crv": "Ed25519",
                     *           "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
                     *           "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
                     *           "alg": "EdDSA",
                     *           "use": "sig"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": {
                        keys: {
                            /** @enum {string} */
                            kty: "OKP";
                            /** @enum {string} */
                            crv: "Ed25519";
                            /** @description The public key. */
                            x: string;
                            /** @description Thumbprint of the key (RFC 7638). */
                            kid: string;
                            /** @enum {string} */
                            alg: "EdDSA";
                            /** @enum {string} */
                            use: "sig";
                        }[];
                    };
                };
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    describeProblem: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The `code` of a problem.
                 * @example token_expired
                 */
                code: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The code's meaning and what to do. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "code": "token_expired",
                     *       "status": 401,
                     *       "title": "Access token expired",
                     *       "detail": "The access token has run out.",
                     *       "advice": "Refresh, then try again."
                     *     }
                     */
                    "application/json": {
                        /** @enum {string} */
                        code: "validation_failed" | "password_too_short" | "password_too_long" | "password_common" | "invalid_credentials" | "token_missing" | "token_expired" | "token_invalid" | "session_revoked" | "refresh_token_missing" | "refresh_token_expired" | "refresh_token_invalid" | "refresh_token_reused" | "csrf_rejected" | "current_password_invalid" | "forbidden" | "not_found" | "visit_not_found" | "method_not_allowed" | "request_timeout" | "email_taken" | "username_taken" | "visit_full" | "payload_too_large" | "uri_too_long" | "unsupported_media_type" | "rate_limited" | "headers_too_large" | "internal_error" | "unavailable";
                        status: number;
                        /** @description What it is, in a few words. */
                        title: string;
                        /** @description What it means. */
                        detail: string;
                        /** @description What to do about it. */
                        advice: string;
                    };
                };
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: There is nothing at this address. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It answers. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HealthAnswer"];
                };
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The numbers. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `token_missing`: This operation needs an access token.
             *
             *     `token_expired`: The access token has run out.
             *
             *     `token_invalid`: The access token is malformed or was not signed by this service.
             *
             *     `session_revoked`: The session of this token has ended.
             */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: The account does not have the role that this operation needs. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVisit: {
        parameters: {
            query?: {
                /**
                 * @description `user`: every running visit of the user (needs an access token).
                 * @example user
                 */
                scope?: "visit" | "user";
                /**
                 * @description Most items of this answer.
                 * @example 50
                 */
                limit?: number;
                /**
                 * @description `nextCursor` of the answer before.
                 * @example YXQ6NTA
                 */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The visit, or with `scope=user` the visits. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Visit"] | components["schemas"]["VisitList"];
                };
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `token_missing`: This operation needs an access token.
             *
             *     `token_expired`: The access token has run out.
             *
             *     `token_invalid`: The access token is malformed or was not signed by this service.
             *
             *     `session_revoked`: The session of this token has ended.
             */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `visit_not_found`: No visit is running here, or none has this id. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    openVisit: {
        parameters: {
            query?: {
                /**
                 * @description Most items of this answer.
                 * @example 50
                 */
                limit?: number;
                /**
                 * @description `nextCursor` of the answer before.
                 * @example YXQ6NTA
                 */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                /** @example {} */
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description The visit that was running. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Visit"];
                };
            };
            /** @description A new visit. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Visit"];
                };
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `token_expired`: The access token has run out.
             *
             *     `token_invalid`: The access token is malformed or was not signed by this service.
             *
             *     `session_revoked`: The session of this token has ended.
             */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `csrf_rejected`: The request came from another site. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `payload_too_large`: The body is larger than this operation takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type`: The body, or a file in it, is of a type that this operation does not take. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    endVisit: {
        parameters: {
            query?: {
                /**
                 * @description Most items of this answer.
                 * @example 50
                 */
                limit?: number;
                /**
                 * @description `nextCursor` of the answer before.
                 * @example YXQ6NTA
                 */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The visit, closed and archived. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Visit"];
                };
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `token_expired`: The access token has run out.
             *
             *     `token_invalid`: The access token is malformed or was not signed by this service.
             *
             *     `session_revoked`: The session of this token has ended.
             */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `csrf_rejected`: The request came from another site. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `visit_not_found`: No visit is running here, or none has this id. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `payload_too_large`: The body is larger than this operation takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type`: The body, or a file in it, is of a type that this operation does not take. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listVisitHistory: {
        parameters: {
            query?: {
                /**
                 * @description Most items of this answer.
                 * @example 50
                 */
                limit?: number;
                /**
                 * @description `nextCursor` of the answer before.
                 * @example YXQ6NTA
                 */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Visits that are over. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VisitList"];
                };
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `token_missing`: This operation needs an access token.
             *
             *     `token_expired`: The access token has run out.
             *
             *     `token_invalid`: The access token is malformed or was not signed by this service.
             *
             *     `session_revoked`: The session of this token has ended.
             */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listPages: {
        parameters: {
            query?: {
                /**
                 * @description One of the user's visits, running or archived; the running one of this login without it.
                 * @example pZ8rN2f1Q0yTt5o3uXw7Bg
                 */
                visit?: string;
                /**
                 * @description Most items of this answer.
                 * @example 50
                 */
                limit?: number;
                /**
                 * @description `nextCursor` of the answer before.
                 * @example YXQ6NTA
                 */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Pages in order. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PageList"];
                };
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `token_missing`: This operation needs an access token.
             *
             *     `token_expired`: The access token has run out.
             *
             *     `token_invalid`: The access token is malformed or was not signed by this service.
             *
             *     `session_revoked`: The session of this token has ended.
             */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `visit_not_found`: No visit is running here, or none has this id. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    notePage: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "pageId": "/products/42"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description Names the page, as the client likes: a path, a route, an id.
                     * @example /products/42
                     */
                    pageId: string;
                };
            };
        };
        responses: {
            /** @description Noted. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "pageId": "/products/42",
                     *       "at": "2026-11-21T09:30:00.000Z",
                     *       "pageCount": 3
                     *     }
                     */
                    "application/json": {
                        pageId: string;
                        /**
                         * Format: date-time
                         * @description When it was noted.
                         * @example 2026-11-21T09:30:00.000Z
                         */
                        at: string;
                        /** @description Pages of the visit with this one. */
                        pageCount: number;
                    };
                };
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `token_expired`: The access token has run out.
             *
             *     `token_invalid`: The access token is malformed or was not signed by this service.
             *
             *     `session_revoked`: The session of this token has ended.
             */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `csrf_rejected`: The request came from another site. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `visit_full`: The visit has as many pages, or actions, as it may have. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `payload_too_large`: The body is larger than this operation takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type`: The body, or a file in it, is of a type that this operation does not take. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listActions: {
        parameters: {
            query?: {
                /**
                 * @description One of the user's visits, running or archived; the running one of this login without it.
                 * @example pZ8rN2f1Q0yTt5o3uXw7Bg
                 */
                visit?: string;
                /**
                 * @description Most items of this answer.
                 * @example 50
                 */
                limit?: number;
                /**
                 * @description `nextCursor` of the answer before.
                 * @example YXQ6NTA
                 */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Actions in order. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ActionList"];
                };
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `token_missing`: This operation needs an access token.
             *
             *     `token_expired`: The access token has run out.
             *
             *     `token_invalid`: The access token is malformed or was not signed by this service.
             *
             *     `session_revoked`: The session of this token has ended.
             */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `visit_not_found`: No visit is running here, or none has this id. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    noteAction: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "action": "add_to_cart",
                 *       "target": "product-42",
                 *       "details": {
                 *         "quantity": 2
                 *       }
                 *     }
                 */
                "application/json": {
                    /**
                     * @description What the visitor did.
                     * @example add_to_cart
                     */
                    action: string;
                    /**
                     * @description What it was done to.
                     * @example product-42
                     */
                    target?: string;
                    /**
                     * @description A few typed details: texts, numbers, booleans.
                     * @example {
                     *       "quantity": 2,
                     *       "gift": false
                     *     }
                     */
                    details?: {
                        [key: string]: string | number | boolean;
                    };
                };
            };
        };
        responses: {
            /** @description Noted. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "action": "add_to_cart",
                     *       "at": "2026-11-21T09:31:00.000Z",
                     *       "actionCount": 1
                     *     }
                     */
                    "application/json": {
                        action: string;
                        /**
                         * Format: date-time
                         * @description When it was noted.
                         * @example 2026-11-21T09:30:00.000Z
                         */
                        at: string;
                        /** @description Actions of the visit with this one. */
                        actionCount: number;
                    };
                };
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `token_expired`: The access token has run out.
             *
             *     `token_invalid`: The access token is malformed or was not signed by this service.
             *
             *     `session_revoked`: The session of this token has ended.
             */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `csrf_rejected`: The request came from another site. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `visit_full`: The visit has as many pages, or actions, as it may have. */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `payload_too_large`: The body is larger than this operation takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type`: The body, or a file in it, is of a type that this operation does not take. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getPreferences: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All preferences. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Preferences"];
                };
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `token_expired`: The access token has run out.
             *
             *     `token_invalid`: The access token is malformed or was not signed by this service.
             *
             *     `session_revoked`: The session of this token has ended.
             */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    setPreferences: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "theme": "dark",
                 *       "language": "pt-BR"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description Colours; `system` follows the device.
                     * @enum {string}
                     */
                    theme?: "light" | "dark" | "system";
                    /** @description Whether notifications are wanted. */
                    notifications?: boolean;
                    /**
                     * @description BCP 47 language tag; answered in its canonical spelling.
                     * @example pt-BR
                     */
                    language?: string;
                };
            };
        };
        responses: {
            /** @description All preferences, as they are stored now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Preferences"];
                };
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `token_expired`: The access token has run out.
             *
             *     `token_invalid`: The access token is malformed or was not signed by this service.
             *
             *     `session_revoked`: The session of this token has ended.
             */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `csrf_rejected`: The request came from another site. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `payload_too_large`: The body is larger than this operation takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type`: The body, or a file in it, is of a type that this operation does not take. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    protected: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A greeting. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "message": "Hello, ada",
                     *       "user": {
                     *         "id": "qk1Jd0yW3mZQ8n5r2vT6aA",
                     *         "_id": "qk1Jd0yW3mZQ8n5r2vT6aA",
                     *         "username": "ada",
                     *         "email": "ada@example.com",
                     *         "fullName": "Ada Lovelace",
                     *         "role": "user",
                     *         "avatarUrl": null
                     *       }
                     *     }
                     */
                    "application/json": {
                        message: string;
                        user: components["schemas"]["PublicUser"];
                    };
                };
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `token_missing`: This operation needs an access token.
             *
             *     `token_expired`: The access token has run out.
             *
             *     `token_invalid`: The access token is malformed or was not signed by this service.
             *
             *     `session_revoked`: The session of this token has ended.
             */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getProfile: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The account as its owner sees it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Profile"];
                };
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `token_missing`: This operation needs an access token.
             *
             *     `token_expired`: The access token has run out.
             *
             *     `token_invalid`: The access token is malformed or was not signed by this service.
             *
             *     `session_revoked`: The session of this token has ended.
             */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeProfile: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "fullName": "Ada King",
                 *       "email": "ada@example.org",
                 *       "currentPassword": "correct horse battery"
                 *     }
                 */
                "application/json": {
                    /** @description `null` takes the name away. */
                    fullName?: string | null;
                    /**
                     * @description 3 to 32 of A-Z a-z 0-9 . _ -
                     * @example ada
                     */
                    username?: string;
                    /** @example ada@example.com */
                    email?: string;
                    /**
                     * @description The password of the account as it is. Guesses are limited like those at login.
                     * @example correct horse battery
                     */
                    currentPassword?: string;
                };
            };
        };
        responses: {
            /** @description The account as it is now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Profile"];
                };
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `token_missing`: This operation needs an access token.
             *
             *     `token_expired`: The access token has run out.
             *
             *     `token_invalid`: The access token is malformed or was not signed by this service.
             *
             *     `session_revoked`: The session of this token has ended.
             */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `csrf_rejected`: The request came from another site.
             *
             *     `current_password_invalid`: This change needs the current password of the account, and what came is not it.
             */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `email_taken`: An account with this e-mail address exists.
             *
             *     `username_taken`: An account with this username exists.
             */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `payload_too_large`: The body is larger than this operation takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type`: The body, or a file in it, is of a type that this operation does not take. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changePassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "currentPassword": "correct horse battery",
                 *       "newPassword": "staple wrong pony engine"
                 *     }
                 */
                "application/json": {
                    /**
                     * @description The password of the account as it is. Guesses are limited like those at login.
                     * @example correct horse battery
                     */
                    currentPassword: string;
                    /**
                     * @description Up to 72 bytes in UTF-8.
                     * @example correct horse battery
                     */
                    newPassword: string;
                };
            };
        };
        responses: {
            /** @description The password is another, and this is the only session. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasswordAnswer"];
                };
            };
            /**
             * @description `validation_failed`: The request does not fit the description of this operation.
             *
             *     `password_too_short`: The password has too few characters.
             *
             *     `password_too_long`: The password is longer than 72 bytes in UTF-8.
             *
             *     `password_common`: The password is on a list of common passwords or is made of what is known of the account.
             */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `token_missing`: This operation needs an access token.
             *
             *     `token_expired`: The access token has run out.
             *
             *     `token_invalid`: The access token is malformed or was not signed by this service.
             *
             *     `session_revoked`: The session of this token has ended.
             */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `csrf_rejected`: The request came from another site.
             *
             *     `current_password_invalid`: This change needs the current password of the account, and what came is not it.
             */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `payload_too_large`: The body is larger than this operation takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type`: The body, or a file in it, is of a type that this operation does not take. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    uploadAvatar: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "avatar": "(the bytes of the file)"
                 *     }
                 */
                "multipart/form-data": {
                    /**
                     * Format: binary
                     * @description The file: one, and the only part of the body. Its name and type are not looked at.
                     */
                    avatar: string;
                };
            };
        };
        responses: {
            /** @description The account with its new picture; `Location` is where it is. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Profile"];
                };
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `token_missing`: This operation needs an access token.
             *
             *     `token_expired`: The access token has run out.
             *
             *     `token_invalid`: The access token is malformed or was not signed by this service.
             *
             *     `session_revoked`: The session of this token has ended.
             */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `csrf_rejected`: The request came from another site. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `payload_too_large`: The body is larger than this operation takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type`: The body, or a file in it, is of a type that this operation does not take. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteAvatar: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description There is none any more. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `token_missing`: This operation needs an access token.
             *
             *     `token_expired`: The access token has run out.
             *
             *     `token_invalid`: The access token is malformed or was not signed by this service.
             *
             *     `session_revoked`: The session of this token has ended.
             */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `csrf_rejected`: The request came from another site. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `payload_too_large`: The body is larger than this operation takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type`: The body, or a file in it, is of a type that this operation does not take. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listSessions: {
        parameters: {
            query?: {
                /**
                 * @description Most items of this answer.
                 * @example 50
                 */
                limit?: number;
                /**
                 * @description `nextCursor` of the answer before.
                 * @example YXQ6NTA
                 */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The sessions. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionList"];
                };
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `token_missing`: This operation needs an access token.
             *
             *     `token_expired`: The access token has run out.
             *
             *     `token_invalid`: The access token is malformed or was not signed by this service.
             *
             *     `session_revoked`: The session of this token has ended.
             */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    endOtherSessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description This session is the only one. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RevokedAnswer"];
                };
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `token_missing`: This operation needs an access token.
             *
             *     `token_expired`: The access token has run out.
             *
             *     `token_invalid`: The access token is malformed or was not signed by this service.
             *
             *     `session_revoked`: The session of this token has ended.
             */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `csrf_rejected`: The request came from another site. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `payload_too_large`: The body is larger than this operation takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type`: The body, or a file in it, is of a type that this operation does not take. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    endSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the session.
                 * @example 5cJq0W8mR2yXv7TnB4kD1g
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The session is over. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `validation_failed`: The request does not fit the description of this operation. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `token_missing`: This operation needs an access token.
             *
             *     `token_expired`: The access token has run out.
             *
             *     `token_invalid`: The access token is malformed or was not signed by this service.
             *
             *     `session_revoked`: The session of this token has ended.
             */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `csrf_rejected`: The request came from another site. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: There is nothing at this address. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `request_timeout`: The request took too long to arrive. */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `payload_too_large`: The body is larger than this operation takes. */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `uri_too_long`: The address of the request is too long. */
            414: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type`: The body, or a file in it, is of a type that this operation does not take. */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `rate_limited`: Too many attempts. */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `headers_too_large`: The headers of the request are too large. */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: The service cannot decide this at the moment. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}

import type { Rule } from "../rule";
import { awsRules } from "./aws";
import { keyVaultRules } from "./key-vault";
import { modelRules } from "./models";
import { nodeRules } from "./node";
import { protectRules } from "./protect";
import { redisRules } from "./redis";
import { roleRules } from "./role-assignments";
import { secretRules } from "./secrets";
import { storageRules } from "./storage";
import { tagRules } from "./tags";
import { webRules } from "./web";

/**
 * Every rule of the project.
 *
 * @param now the present: what is supported today is not for ever
 */
export function rules(now: Date): readonly Rule[] {
    return [
        ...storageRules,
        ...redisRules,
        ...webRules,
        ...nodeRules(now),
        ...keyVaultRules,
        ...modelRules,
        ...roleRules,
        ...awsRules,
        ...secretRules,
        ...tagRules,
        ...protectRules,
    ];
}

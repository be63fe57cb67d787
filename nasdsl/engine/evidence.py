"""What is known of each method: the test that holds it to its source, and what it was measured to do.

Keys are names, with the group before them where two rows share a name; a group alone stands for all its other rows. Tests
are `file::test` below `tests/`; that they exist is tested. Tests of a group run over every row of it.
"""

from __future__ import annotations

from collections.abc import Mapping

_BUILDERS = "compiler/test_builders.py"
_ATTENTION = "compiler/test_attention_modules.py"
_WIRING = "language/test_wiring.py"
_WITH = "language/test_with.py"
_NORMED = "compiler/test_normed_weights.py"
_THIN = "compiler/test_low_rank_and_sparse_weights.py"
_TUNED = "compiler/test_tuned_weights.py"
_ALL_WEIGHTS = "compiler/test_weights_contract.py"
_AROUND = "compiler/test_gate_and_adapter.py"
_TRAIN = "training/test_train.py"
_METHODS = "training/test_methods.py"
_EVERY = "training/test_every_method.py"
_PARTS = "training/test_training_parts.py"
_SCHEDULES = "training/test_schedules.py"
_LAW = "training/test_step_law.py"
_DATA = "training/test_open_data.py"
_MORE = "training/test_more_data.py"
_ROWS = "training/test_training_signatures.py"
_KINDS = "training/test_kinds_of_tasks.py"
_FEATURES = "training/test_measures.py"
_UNTRAINED = "training/test_untrained.py"
_ASKED = "engine/test_measures_asked_for.py"

TESTS: Mapping[str, str] = {
    # Layers
    "layer": f"{_BUILDERS}::test_shape_and_parameters_are_those_of_torch",
    "activation": f"{_BUILDERS}::test_shape_and_parameters_are_those_of_torch",
    "mlp": f"{_BUILDERS}::test_mlp_applies_the_activation_it_is_given",
    "attention": f"{_ATTENTION}::test_attention_is_softmax_attention",
    "swiglu": f"{_ATTENTION}::test_swiglu_is_a_gated_product",
    "class_token": f"{_ATTENTION}::test_class_token_stands_first",
    "squeeze_excite": f"{_ATTENTION}::test_squeeze_excite_reads_the_means",
    "inverted_bottleneck": f"{_BUILDERS}::test_gates_of_mobilenet_v3_are_as_wide_as_published",
    "rms_norm": f"{_BUILDERS}::test_rms_norm_of_a_map_has_mean_square_one",
    "project": f"{_BUILDERS}::test_project_strides_as_the_body_does",
    "pad": f"{_BUILDERS}::test_pad_keeps_what_it_gets_and_appends_zeros",
    "residual": "compiler/test_plan.py::test_plan_of_a_small_network_by_hand",
    "parallel": f"{_WIRING}::test_parallel_joins_branches_on_one_input",
    "dag": f"{_WIRING}::test_dag_adds_several_sources_and_reads_wires_by_name",
    "cell": f"{_WIRING}::test_complete_cell_decides_each_edge_afresh",
    "widen": "compiler/test_experts.py::test_evaluation_is_the_definition_row_by_row",
    "gate": f"{_AROUND}::test_more_mass_keeps_more_channels_and_each_keeps_one",
    "adapter": f"{_AROUND}::test_an_identity_in_parallel_is_a_low_rank_update_of_a_linear_layer",
    "frozen": f"{_WITH}::test_frozen_bodies_stay_bit_for_bit_with_decay_momentum_and_norms",
    "pretrained": "compiler/test_pretrained.py::test_tensors_go_by_the_path_of_the_layer",
    "with": f"{_WITH}::test_own_argument_then_inner_then_outer",
    # Weights
    "plain": f"{_ALL_WEIGHTS}::test_planned_numbers_are_those_of_the_module",
    "weight_norm": f"{_NORMED}::test_it_is_that_of_torch",
    "spectral_norm": f"{_NORMED}::test_the_largest_singular_value_is_one_after_fifty_accesses",
    "orthogonal": f"{_NORMED}::test_rows_or_columns_stay_orthonormal_after_steps",
    "weight_standardized": f"{_NORMED}::test_each_output_has_mean_zero_and_variance_one",
    "weight_compander": f"{_NORMED}::test_weights_are_bounded_however_large_v_is",
    "low_rank": f"{_THIN}::test_the_error_of_rank_r_is_that_of_the_dropped_values",
    "nm_sparse": f"{_THIN}::test_every_block_keeps_its_n_largest_in_the_end",
    "mask_tuned": f"{_THIN}::test_gradients_that_agree_are_kept_and_others_as_often_as_they_outweigh",
    "svfit": f"{_TUNED}::test_only_leading_singular_values_move",
    "lora": f"{_TUNED}::test_an_update_has_the_rank_and_the_scale",
    "lora_xs": f"{_TUNED}::test_the_square_matrix_moves_between_the_leading_vectors",
    "lora_sb": f"{_TUNED}::test_the_first_step_is_the_best_of_its_rank",
    "intrinsic": f"{_TUNED}::test_butterflies_are_the_matrix_of_walsh_and_hadamard",
    # Training
    "setting": f"{_EVERY}::test_a_setting_is_a_decision_and_trains",
    "weight_decay": f"{_TRAIN}::test_the_setting_weight_decay_takes_the_place_of_the_optimizers",
    "clip": f"{_TRAIN}::test_clipping_bounds_the_step",
    "precision": f"{_METHODS}::test_bf16_trains_close_to_fp32",
    "average": f"{_METHODS}::test_the_average_is_the_mean_of_the_last_steps",
    "prepare": "training/test_preparing.py::test_columns_that_train_become_normal_whatever_they_were",
    "init": "compiler/test_initial.py::test_critical_weights_keep_the_size_of_signals_at_any_depth",
    "lr": f"{_LAW}::test_lr_takes_the_place_of_the_optimizers",
    "optimizer": f"{_TRAIN}::test_steps_are_those_of_torchs_plain_loop",
    "lion": f"{_METHODS}::test_lion_moves_every_coordinate_by_its_rate",
    "muon": f"{_METHODS}::test_muon_moves_matrices_by_orthogonal_steps",
    "constant": f"{_PARTS}::test_constant_stays_after_its_warmup",
    "cosine": f"{_PARTS}::test_cosine_rises_then_falls_to_its_floor",
    "wsd": f"{_SCHEDULES}::test_wsd_is_level_and_then_falls_as_one_minus_root",
    "power": f"{_SCHEDULES}::test_power_is_the_law_of_the_tokens_seen",
    "plateau": f"{_SCHEDULES}::test_plateau_falls_after_its_patience_and_not_before",
    "hypergradient": f"{_SCHEDULES}::test_hypergradient_moves_by_the_cosine_of_two_gradients",
    "loss": f"{_TRAIN}::test_losses_of_numbers",
    "cross_entropy": f"{_TRAIN}::test_accuracy_and_loss_are_those_of_the_definition",
    "mse": f"{_METHODS}::test_squared_error_of_classes_is_that_against_one_hot_targets",
    "focal": f"{_METHODS}::test_focal_without_focus_is_cross_entropy_and_looks_away_from_the_easy",
    "mixup": f"{_PARTS}::test_mixup_mixes_inputs_and_targets_by_one_share",
    "label_smoothing": "training/fused/test_training.py::test_dense_networks",
    "adamixup": "training/test_adamixup.py::test_shares_fill_the_stretch_of_the_policy",
    "cutmix": f"{_METHODS}::test_cutmix_pastes_one_box_and_weighs_by_its_share",
    "drop_path": f"{_METHODS}::test_drop_path_finds_residuals_and_rises_with_depth",
    "regularizer dropout": f"{_METHODS}::test_late_dropout_begins_late",
    "elr": f"{_METHODS}::test_elr_changes_only_the_samples_of_its_batch_and_has_its_gradient",
    "ps_kd": f"{_METHODS}::test_ps_kd_begins_with_labels_and_ends_with_its_share",
    "anchor": f"{_METHODS}::test_anchors_are_nothing_where_training_begins_and_ewc_of_ones_is_l2",
    "pela": "training/test_pela.py::test_distance_of_weights_is_that_of_the_largest_gaps",
    "augment": f"{_METHODS}::test_changes_of_inputs_do_what_they_say",
    "stop": f"{_METHODS}::test_what_ends_a_training",
    "stop patience": f"{_METHODS}::test_patience_counts_epochs_without_a_new_lowest_loss",
    "stop loss": f"{_METHODS}::test_what_ends_a_training",
    "setting loss": f"{_TRAIN}::test_losses_of_numbers",
    "interpolation": f"{_METHODS}::test_interpolation_ends_where_all_training_samples_are_right",
    "all": f"{_EVERY}::test_a_method_is_a_decision_and_trains",
    "half": f"{_METHODS}::test_half_freezes_a_half_anew_each_round",
    "head": f"{_METHODS}::test_tuning_the_head_leaves_all_else_bit_identical",
    "subset": f"{_METHODS}::test_a_subset_keeps_the_hardest",
    "mup": "training/test_mup.py::test_coordinates_are_flat_in_the_width",
    "step_law": f"{_LAW}::test_the_formulas_give_the_figures_of_the_paper",
    # Data
    "data": f"{_DATA}::test_built_in_data_have_the_shapes_known_without_loading",
    "setting data": f"{_METHODS}::test_a_subset_keeps_the_hardest",
    "csv": f"{_DATA}::test_a_table_is_encoded_and_scaled_by_its_training_part",
    "npz": f"{_DATA}::test_an_npz_of_images_is_scaled_by_channel",
    "shape": f"{_ROWS}::test_shapes_known_before_any_file_is_read",
    "shapes": f"{_ROWS}::test_shapes_known_before_any_file_is_read",
    "text": f"{_KINDS}::test_a_text_is_cut_in_order_and_its_targets_are_one_further",
    "mnist1d": "training/test_mnist1d.py::test_the_numbers_are_the_authors",
    "modular": f"{_MORE}::test_modular_arithmetic_is_right",
    "spirals": f"{_MORE}::test_spirals_are_two_arms_and_not_separable_by_a_line",
    "images": f"{_MORE}::test_a_folder_of_images",
    "tensor": f"{_MORE}::test_tensors",
    "python": f"{_MORE}::test_a_function_needs_trust_and_gives_a_pair",
    # Measures
    "accuracy": f"{_TRAIN}::test_accuracy_and_loss_are_those_of_the_definition",
    "measure loss": f"{_TRAIN}::test_accuracy_and_loss_are_those_of_the_definition",
    "balanced_accuracy": f"{_KINDS}::test_measures_of_classes_are_scikit_learns",
    "macro_f1": f"{_KINDS}::test_measures_of_classes_are_scikit_learns",
    "mean_iou": "training/test_segmentation.py::test_measures_are_scikit_learns",
    "ece": f"{_KINDS}::test_ece_is_the_gap_between_confidence_and_accuracy",
    "r2": f"{_TRAIN}::test_r2_and_mae_are_scikit_learns",
    "measure mae": f"{_TRAIN}::test_r2_and_mae_are_scikit_learns",
    "bits_per_byte": f"{_KINDS}::test_what_repeats_is_learned_and_bits_are_those_of_the_definition",
    "rankme": f"{_FEATURES}::test_rankme_of_equal_singular_values_is_the_rank",
    "nc1": f"{_FEATURES}::test_nc1_equals_traces_of_covariances_and_knows_no_scale",
    "open_channels": "training/test_open_channels.py::test_it_is_the_mean_over_samples_channels_and_gates_in_evaluation",
    "time_to_target": f"{_ASKED}::test_time_to_target_is_that_of_the_first_epoch_that_reaches_it",
    "latency_ms": "engine/test_latency.py::test_what_is_fast_enough_is_trained_and_tells_its_latency",
    "naswot": f"{_UNTRAINED}::test_naswot_is_the_determinant_by_hand",
    "jacob_cov": f"{_UNTRAINED}::test_jacob_cov_of_gradients_that_do_not_correlate_and_of_equal_ones",
    "synflow": f"{_UNTRAINED}::test_synflow_of_a_known_network",
    "zen": f"{_UNTRAINED}::test_zen_grows_by_the_logarithm_of_a_weights_scale_with_and_without_batch_norm",
    "grad_norm": f"{_UNTRAINED}::test_grad_norm_of_one_layer_by_hand",
    "ntk_cond": f"{_UNTRAINED}::test_the_tangent_kernel_of_one_layer_is_that_of_its_inputs",
    "chi": f"{_UNTRAINED}::test_chi_is_the_variance_of_weights_times_the_mean_squared_slope",
    # Quantities
    "params": "compiler/test_build.py::test_every_shape_and_parameter_is_what_torch_gets",
    "macs": f"{_BUILDERS}::test_macs_are_those_that_torch_counts",
    "depth": "compiler/test_plan.py::test_depth_is_the_longest_path_not_the_number_of_layers",
    "train_memory": "spaces/test_train_memory.py::test_planned_memory_is_within_15_percent_of_what_torch_has",
    "edges": "language/test_edges.py::test_edges_are_those_that_are_picked_and_those_that_are_fixed",
    "trainable_params": f"{_ALL_WEIGHTS}::test_planned_numbers_are_those_of_the_module",
    "merged_params": f"{_ALL_WEIGHTS}::test_planned_numbers_are_those_of_the_module",
    "aspect": f"{_ASKED}::test_aspect_is_known_before_anything_is_built",
}

EFFECTS: Mapping[str, str] = {
    "elr": "mnist1d, 30% wrong labels: 0.838 against 0.631 (+0.207 ± 0.007)",
    "ps_kd": "mnist1d, 30% wrong labels: 0.653 against 0.631 (+0.021 ± 0.007)",
    "mixup": "mnist1d, 30% wrong labels: 0.749 against 0.631 (+0.117 ± 0.004); 160 samples: -0.036 ± 0.006",
    "label_smoothing": "mnist1d, 30% wrong labels: +0.022 ± 0.012, within noise; 160 samples: -0.044 ± 0.008",
    "layer dropout": "addition modulo 59, 30% wrong labels (`grokking`): 0.969 against 0.212 (+0.756 ± 0.049)",
    "regularizer dropout": "640 samples of mnist1d seen 100 times: late +0.034 ± 0.003, from the start +0.033 ± 0.006; "
    "160 samples: +0.029 ± 0.009",
    "crop": "160 samples of mnist1d: 0.646 against 0.379 (+0.267 ± 0.012)",
    "noise": "160 samples of mnist1d: +0.020 ± 0.008",
    "weight_decay": "addition modulo 59, 30% wrong labels (`grokking`): 1.000 with 10 against 0.212 (+0.788 ± 0.052)",
    "subset": "digits, 10 seeds, half of the data: el2n -0.001 ± 0.001, grand -0.001 ± 0.001, random -0.004 ± 0.001; "
    "a fifth: el2n and grand -0.002 ± 0.001, random -0.007 ± 0.002",
    "widen": "mnist1d, 3 seeds: experts in shared blocks +0.019 ± 0.014 over shared ones, blocks apart +0.047 ± 0.010; "
    "digits, 4 seeds: 0.000 ± 0.002 against layers apart",
    "gate": "digits, 4 seeds: mass 0.7 leaves 0.655 ± 0.017 of the channels on for -0.006 ± 0.002; 0.6 loses 0.294 ± 0.090",
    "batch_norm": "addition modulo 59, 20% wrong labels (`late_grokking`): 0.982 against 0.964 (+0.018 ± 0.004); "
    "30%, half as long: -0.195 ± 0.051",
    "anchor": "pretrained features, 160 samples of digits: l2 -0.005 ± 0.003, distill -0.019 ± 0.003, ewc -0.023 ± 0.004; no gain seen",
    "half": "pretrained features, 160 samples of digits: -0.011 ± 0.006 against tuning all",
    "head": "pretrained features, 160 samples of digits: -0.035 ± 0.007 against tuning all",
    "frozen": "digits, 4 seeds: -0.017 ± 0.003 with random layers frozen",
    "adapter": "PNet's features on digits: 0.833 against 0.669 frozen (+0.164 ± 0.022) with 626 trained numbers; "
    "beside random frozen layers, 4 seeds: -0.003 ± 0.005, which alone cost 0.017 ± 0.003",
    "lora": "PNet's features on digits: 0.867 against 0.669 frozen (+0.199 ± 0.021) with 968 trained numbers; all: 0.953 with 6,764",
    "lora_xs": "PNet's features on digits: 0.822 against 0.669 frozen (+0.153 ± 0.019) with 522 trained numbers",
    "lora_sb": "PNet's features on digits: 0.846 against 0.669 frozen (+0.177 ± 0.022) with 522 trained numbers",
    "svfit": "PNet's features on digits: 0.682 against 0.669 frozen (+0.014 ± 0.011), within noise",
    "intrinsic": "PNet's features on digits: 0.787 against 0.669 frozen (+0.119 ± 0.022) with 430 trained numbers; said 0.796",
    "mask_tuned": "PNet's features on digits, 4 seeds: 0.836 against 0.421 frozen (+0.415 ± 0.023), a third of the weights out; "
    "needs a low rate",
    "low_rank": "PNet's features on digits: 0.928 at half of the weights against 0.953; from random weights on mnist1d "
    "-0.204 ± 0.021 at an eighth, a narrow network -0.075 ± 0.008 (4 seeds)",
    "nm_sparse": "mnist1d, 1 of 8, 4 seeds: mask 0.486, ste 0.471, structure 0.455 (± 0.006) against 0.613 with all",
    "weight_norm": "mnist1d, 4 seeds: -0.005 ± 0.005, no gain seen",
    "spectral_norm": "mnist1d, 4 seeds: -0.038 ± 0.009, no gain under noise seen",
    "orthogonal": "digits, thirty tanh layers, 4 seeds: 0.912 against 0.100 (+0.811 ± 0.008)",
    "weight_standardized": "mnist1d, 4 seeds, with layer norm: 0.551 against 0.607 of layer norm alone: a loss",
    "weight_compander": "mnist1d, 4 seeds: 0.519 against 0.516 (+0.004 ± 0.007); 160 samples: 0.000 ± 0.005",
    "init": "digits, twenty gelu layers: critical 0.775, kaiming 0.329, orthogonal 0.217 against 0.100",
    "naswot": "digits_cnn, 60 points: tau 0.54, multiply-accumulates 0.61 (-0.07 ± 0.04); mnist1d: tau 0.81 (+0.05 ± 0.04)",
    "jacob_cov": "digits_cnn, 60 points: tau 0.29, multiply-accumulates 0.61 (-0.32 ± 0.10); mnist1d: tau 0.53 (-0.19 ± 0.06)",
    "synflow": "digits_cnn, 60 points: tau 0.57, multiply-accumulates 0.61 (-0.04 ± 0.05); mnist1d: tau 0.57 (-0.15 ± 0.06)",
    "zen": "digits_cnn, 60 points: tau 0.58, multiply-accumulates 0.61 (-0.03 ± 0.05); mnist1d: tau 0.39 (-0.32 ± 0.07)",
    "grad_norm": "digits_cnn, 60 points: tau 0.40, multiply-accumulates 0.61 (-0.21 ± 0.07); mnist1d: tau 0.48 (-0.23 ± 0.06)",
    "ntk_cond": "digits_cnn, 60 points: tau 0.58, multiply-accumulates 0.61 (-0.03 ± 0.07); mnist1d: tau 0.38 (-0.33 ± 0.08)",
    "chi": "digits_cnn, 60 points: tau 0.45, multiply-accumulates 0.61 (-0.16 ± 0.10); mnist1d: tau 0.47 (-0.23 ± 0.08)",
    "macs": "digits_cnn, 60 points: tau 0.61 to the order of trained networks; mnist1d: 0.71 (docs/proxies.md)",
}


def known(table: Mapping[str, str], group: str, name: str) -> str | None:
    """What a table says of the row of this group and name; None where nothing."""
    return table.get(f"{group} {name}") or table.get(name) or table.get(group)
